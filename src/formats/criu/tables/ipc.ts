import { BOOLEAN } from "../../../io/domains.js";
import { SEGMENT_BYTES, unsignedNextId } from "../../../linux/ipc.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const IPC_DESC_ENTRY = message("ipc_desc_entry", "Key, owner and id of a SysV IPC object.", {
  key: required(1, "uint32", { doc: "0 for a private object" }),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  cuid: required(4, "uint32", { doc: "user that created it" }),
  cgid: required(5, "uint32", { doc: "group that created it" }),
  mode: required(6, "uint32", { doc: "permission bits" }),
  id: required(7, "uint32", { doc: "id of the object, kept by a restore" }),
});
export type IpcDescEntry = Value<typeof IPC_DESC_ENTRY>;

export const IPC_MSG = message("ipc_msg", "One message of a SysV queue; its bytes follow, padded to 8.", {
  mtype: required(1, "uint64", { doc: "message type" }),
  msize: required(2, "uint32", { doc: "bytes" }),
});
export type IpcMsg = Value<typeof IPC_MSG>;

export const IPC_MSG_ENTRY = message(
  "ipc_msg_entry",
  "A SysV message queue; its messages follow as ipc_msg records.",
  {
    desc: required(1, IPC_DESC_ENTRY),
    qbytes: required(2, "uint32", { doc: "limit of the queue in bytes" }),
    qnum: required(3, "uint32", { doc: "number of messages" }),
  },
);
export type IpcMsgEntry = Value<typeof IPC_MSG_ENTRY>;

export const IPC_SEM_ENTRY = message(
  "ipc_sem_entry",
  "A SysV semaphore set; its values follow, 16 bits each, padded to 8 bytes.",
  {
    desc: required(1, IPC_DESC_ENTRY),
    nsems: required(2, "uint32", { doc: "number of semaphores" }),
  },
);
export type IpcSemEntry = Value<typeof IPC_SEM_ENTRY>;

export const IPC_SHM_ENTRY = message("ipc_shm_entry", "A SysV shared memory segment.", {
  desc: required(1, IPC_DESC_ENTRY),
  size: required(2, "uint64", { doc: "bytes", domain: SEGMENT_BYTES }),
  in_pagemaps: optional(3, "bool", {
    doc: "the contents are in pagemap-shmem-<id>.img; without it they follow the record",
    since: "3.0",
  }),
  hugetlb_flag: optional(4, "uint32", { doc: "SHM_HUGETLB with the size of the pages", since: "3.17" }),
});
export type IpcShmEntry = Value<typeof IPC_SHM_ENTRY>;

export const IPC_VAR_ENTRY = message(
  "ipc_var_entry",
  "Limits of an IPC namespace, as in /proc/sys/kernel and /proc/sys/fs/mqueue.",
  {
    sem_ctls: repeated(1, "uint32", { doc: "the four numbers of kernel.sem" }),
    msg_ctlmax: required(2, "uint32", { doc: "bytes of a message" }),
    msg_ctlmnb: required(3, "uint32", { doc: "bytes of a queue" }),
    msg_ctlmni: required(4, "uint32", { doc: "queues" }),
    auto_msgmni: required(5, "uint32"),
    shm_ctlmax: required(6, "uint64", { doc: "bytes of a segment" }),
    shm_ctlall: required(7, "uint64", { doc: "pages of all segments" }),
    shm_ctlmni: required(8, "uint32", { doc: "segments" }),
    shm_rmid_forced: required(9, "uint32", { doc: "1 if unused segments are removed", domain: BOOLEAN }),
    mq_queues_max: required(10, "uint32"),
    mq_msg_max: required(11, "uint32"),
    mq_msgsize_max: required(12, "uint32"),
    mq_msg_default: optional(13, "uint32", { since: "2.5" }),
    mq_msgsize_default: optional(14, "uint32", { since: "2.5" }),
    msg_next_id: optional(15, "uint32", {
      doc: "wanted id of the next queue, all ones for any",
      domain: unsignedNextId("msg_next_id"),
      since: "2.6",
    }),
    sem_next_id: optional(16, "uint32", {
      doc: "wanted id of the next semaphore set, all ones for any",
      domain: unsignedNextId("sem_next_id"),
      since: "2.6",
    }),
    shm_next_id: optional(17, "uint32", {
      doc: "wanted id of the next segment, all ones for any",
      domain: unsignedNextId("shm_next_id"),
      since: "2.6",
    }),
  },
);
export type IpcVarEntry = Value<typeof IPC_VAR_ENTRY>;
