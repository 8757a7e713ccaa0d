import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const IPC_DESC_ENTRY = message("ipc_desc_entry", "", {
  key: required(1, "uint32"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
  cuid: required(4, "uint32"),
  cgid: required(5, "uint32"),
  mode: required(6, "uint32"),
  id: required(7, "uint32"),
});
export type IpcDescEntry = Value<typeof IPC_DESC_ENTRY>;

export const IPC_MSG = message("ipc_msg", "", {
  mtype: required(1, "uint64"),
  msize: required(2, "uint32"),
});
export type IpcMsg = Value<typeof IPC_MSG>;

export const IPC_MSG_ENTRY = message("ipc_msg_entry", "", {
  desc: required(1, IPC_DESC_ENTRY),
  qbytes: required(2, "uint32"),
  qnum: required(3, "uint32"),
});
export type IpcMsgEntry = Value<typeof IPC_MSG_ENTRY>;

export const IPC_SEM_ENTRY = message("ipc_sem_entry", "", {
  desc: required(1, IPC_DESC_ENTRY),
  nsems: required(2, "uint32"),
});
export type IpcSemEntry = Value<typeof IPC_SEM_ENTRY>;

export const IPC_SHM_ENTRY = message("ipc_shm_entry", "", {
  desc: required(1, IPC_DESC_ENTRY),
  size: required(2, "uint64"),
  in_pagemaps: optional(3, "bool", { since: "3.0" }),
  hugetlb_flag: optional(4, "uint32", { since: "3.17" }),
});
export type IpcShmEntry = Value<typeof IPC_SHM_ENTRY>;

export const IPC_VAR_ENTRY = message("ipc_var_entry", "", {
  sem_ctls: repeated(1, "uint32"),
  msg_ctlmax: required(2, "uint32"),
  msg_ctlmnb: required(3, "uint32"),
  msg_ctlmni: required(4, "uint32"),
  auto_msgmni: required(5, "uint32"),
  shm_ctlmax: required(6, "uint64"),
  shm_ctlall: required(7, "uint64"),
  shm_ctlmni: required(8, "uint32"),
  shm_rmid_forced: required(9, "uint32"),
  mq_queues_max: required(10, "uint32"),
  mq_msg_max: required(11, "uint32"),
  mq_msgsize_max: required(12, "uint32"),
  mq_msg_default: optional(13, "uint32", { since: "2.5" }),
  mq_msgsize_default: optional(14, "uint32", { since: "2.5" }),
  msg_next_id: optional(15, "uint32", { since: "2.6" }),
  sem_next_id: optional(16, "uint32", { since: "2.6" }),
  shm_next_id: optional(17, "uint32", { since: "2.6" }),
});
export type IpcVarEntry = Value<typeof IPC_VAR_ENTRY>;
