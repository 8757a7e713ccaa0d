import { range } from "../../../io/domains.js";
import { SEGMENT_BYTES, SHM_FLAGS } from "../../../linux/ipc.js";
import { inner, struct, word } from "../../../schema/struct.js";

/** IPC_SHM.mlock_uid: the segment is not locked; a restart cannot restore SHM_LOCK of another user. */
const NOT_LOCKED = range(0xffff_ffff, 0xffff_ffff);

export const IPC_PERMS_0ABE2FE = struct(
  "ckpt_hdr_ipc_perms",
  48,
  "ckpt_hdr_ipc_perms of header sets 0abe2fe to a53775e",
  {
    id: word("s32", 8),
    key: word("u32", 12),
    uid: word("u32", 16),
    gid: word("u32", 20),
    cuid: word("u32", 24),
    cgid: word("u32", 28),
    mode: word("u32", 32),
    _padding: word("u32", 36),
    seq: word("u64", 40),
  },
);

export const IPC_PERMS = struct(
  "ckpt_hdr_ipc_perms",
  56,
  "Key, owner and mode of a System V IPC object; its first 8 bytes are an unused record header",
  {
    id: word("s32", 8),
    key: word("u32", 12),
    uid: word("u32", 16),
    gid: word("u32", 20),
    cuid: word("u32", 24),
    cgid: word("u32", 28),
    mode: word("u32", 32),
    _padding: word("u32", 36),
    seq: word("u64", 40),
    sec_ref: word("s32", 48),
  },
);

export const IPC = struct("IPC", 16, "List of System V objects of one kind", {
  ipc_type: word("u32", 8, { doc: "record id of the entries" }),
  ipc_count: word("u32", 12),
});

export const IPC_SHM_0ABE2FE = struct("IPC_SHM", 112, "IPC_SHM as header sets 0abe2fe to a53775e wrote it", {
  perms: inner(IPC_PERMS_0ABE2FE, 8),
  shm_segsz: word("u64", 56, { domain: SEGMENT_BYTES }),
  shm_atim: word("u64", 64),
  shm_dtim: word("u64", 72),
  shm_ctim: word("u64", 80),
  shm_cprid: word("s32", 88),
  shm_lprid: word("s32", 92),
  mlock_uid: word("u32", 96, { domain: NOT_LOCKED, kept: false }),
  flags: word("u32", 100, { domain: SHM_FLAGS, kept: false }),
  objref: word("u32", 104),
});

export const IPC_SHM_D55D4C8 = struct("IPC_SHM", 120, "IPC_SHM as header sets d55d4c8 to b6cdf01 wrote it", {
  perms: inner(IPC_PERMS, 8),
  shm_segsz: word("u64", 64, { domain: SEGMENT_BYTES }),
  shm_atim: word("u64", 72),
  shm_dtim: word("u64", 80),
  shm_ctim: word("u64", 88),
  shm_cprid: word("s32", 96),
  shm_lprid: word("s32", 100),
  mlock_uid: word("u32", 104, { domain: NOT_LOCKED, kept: false }),
  flags: word("u32", 108, { domain: SHM_FLAGS, kept: false }),
  objref: word("u32", 112),
});

export const IPC_SHM = struct("IPC_SHM", 120, "A shared memory segment; its pages follow", {
  perms: inner(IPC_PERMS, 8),
  shm_segsz: word("u64", 64, { domain: SEGMENT_BYTES }),
  shm_atim: word("u64", 72),
  shm_dtim: word("u64", 80),
  shm_ctim: word("u64", 88),
  shm_cprid: word("s32", 96),
  shm_lprid: word("s32", 100),
  mlock_uid: word("u32", 104, { doc: "all ones: not locked", domain: NOT_LOCKED, kept: false }),
  flags: word("u32", 108, { domain: SHM_FLAGS, kept: false }),
  objref: word("u32", 112, { doc: "objref of the shared memory object; not declared by an OBJREF" }),
  shift: word("u16", 116, { doc: "size of a huge page as a power of 2" }),
});

export const IPC_MSG_0ABE2FE = struct("IPC_MSG", 112, "IPC_MSG as header sets 0abe2fe to a53775e wrote it", {
  perms: inner(IPC_PERMS_0ABE2FE, 8),
  q_stime: word("u64", 56),
  q_rtime: word("u64", 64),
  q_ctime: word("u64", 72),
  q_cbytes: word("u64", 80),
  q_qnum: word("u64", 88),
  q_qbytes: word("u64", 96),
  q_lspid: word("s32", 104),
  q_lrpid: word("s32", 108),
});

export const IPC_MSG = struct("IPC_MSG", 120, "A message queue; its messages follow", {
  perms: inner(IPC_PERMS, 8),
  q_stime: word("u64", 64),
  q_rtime: word("u64", 72),
  q_ctime: word("u64", 80),
  q_cbytes: word("u64", 88, { doc: "bytes in all messages" }),
  q_qnum: word("u64", 96, { doc: "messages that follow" }),
  q_qbytes: word("u64", 104),
  q_lspid: word("s32", 112),
  q_lrpid: word("s32", 116),
});

export const IPC_MSG_MSG_0ABE2FE = struct(
  "IPC_MSG_MSG",
  16,
  "IPC_MSG_MSG as header sets 0abe2fe to a53775e wrote it",
  {
    m_type: word("s32", 8),
    m_ts: word("u32", 12),
  },
);

export const IPC_MSG_MSG_D55D4C8 = struct(
  "IPC_MSG_MSG",
  24,
  "IPC_MSG_MSG as header sets d55d4c8 to 76fcfe5 wrote it",
  {
    m_type: word("s32", 8),
    m_ts: word("u32", 12),
    sec_ref: word("s32", 16),
  },
);

export const IPC_MSG_MSG = struct("IPC_MSG_MSG", 24, "A message; its bytes follow in one or more BUFFERs", {
  m_type: word("s64", 8),
  m_ts: word("u32", 16, { doc: "bytes of the message" }),
  sec_ref: word("s32", 20),
});

export const IPC_SEM_0ABE2FE = struct("IPC_SEM", 80, "IPC_SEM as header sets 0abe2fe to a53775e wrote it", {
  perms: inner(IPC_PERMS_0ABE2FE, 8),
  sem_otime: word("u64", 56),
  sem_ctime: word("u64", 64),
  sem_nsems: word("u32", 72),
});

export const IPC_SEM = struct("IPC_SEM", 88, "A semaphore set; its values follow as a BUFFER", {
  perms: inner(IPC_PERMS, 8),
  sem_otime: word("u64", 64),
  sem_ctime: word("u64", 72),
  sem_nsems: word("u32", 80),
});

export const TASK_SEM_UNDO_LIST = struct(
  "TASK_SEM_UNDO_LIST",
  16,
  "Semaphore adjustments of a task; only the header file is known",
  {
    count: word("u32", 8),
  },
);

export const TASK_SEM_UNDO = struct(
  "TASK_SEM_UNDO",
  16,
  "Adjustments of one semaphore set; only the header file is known",
  {
    semid: word("u32", 8),
    semadj_count: word("u32", 12),
  },
);
