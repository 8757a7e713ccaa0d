import { range } from "../../../io/domains.js";
import { flagTable } from "../../../io/enums.js";
import { inner, struct, word } from "../../../schema/struct.js";

/** HEADER.uflags, checkpoint(2) of linux-cr. */
const CHECKPOINT_FLAGS = flagTable("checkpoint_flags", { CHECKPOINT_SUBTREE: 1, CHECKPOINT_NETNS: 2 });

/** First and last number of a stream: HEADER.magic and TAIL.magic. */
export const HEAD_MAGIC = 0x00fe_ed0c_c0a2_d200n;
export const TAIL_MAGIC = 0x002d_2a0c_c0de_ef00n;

export const CONSTANTS_0ABE2FE = struct("ckpt_const", 24, "ckpt_const of header sets 0abe2fe to c97c03d", {
  task_comm_len: word("u16", 0),
  mm_saved_auxv_len: word("u16", 2),
  signal_nsig: word("u16", 4),
  uts_sysname_len: word("u16", 6),
  uts_nodename_len: word("u16", 8),
  uts_release_len: word("u16", 10),
  uts_version_len: word("u16", 12),
  uts_machine_len: word("u16", 14),
  uts_domainname_len: word("u16", 16),
  rlimit_nlimits: word("u16", 18),
  n_tty_buf_size: word("u16", 20),
  tty_termios_ncc: word("u16", 22),
});

export const CONSTANTS_67CFEE9 = struct("ckpt_const", 24, "ckpt_const of header sets 67cfee9 to f0fdd38", {
  task_comm_len: word("u16", 0),
  at_vector_size: word("u16", 2),
  signal_nsig: word("u16", 4),
  uts_sysname_len: word("u16", 6),
  uts_nodename_len: word("u16", 8),
  uts_release_len: word("u16", 10),
  uts_version_len: word("u16", 12),
  uts_machine_len: word("u16", 14),
  uts_domainname_len: word("u16", 16),
  rlimit_nlimits: word("u16", 18),
  n_tty_buf_size: word("u16", 20),
  tty_termios_ncc: word("u16", 22),
});

export const CONSTANTS = struct(
  "ckpt_const",
  24,
  "Build-time sizes of the kernel; a restart fails with others",
  {
    task_comm_len: word("u16", 0, { doc: "bytes of the STRING after TASK" }),
    at_vector_size: word("u16", 2, { doc: "entries of auxv, 8 bytes each; its bytes in older images" }),
    signal_nsig: word("u16", 4, { doc: "entries of SIGHAND" }),
    uts_sysname_len: word("u16", 6),
    uts_nodename_len: word("u16", 8),
    uts_release_len: word("u16", 10),
    uts_version_len: word("u16", 12),
    uts_machine_len: word("u16", 14),
    uts_domainname_len: word("u16", 16),
    rlimit_nlimits: word("u16", 18),
    n_tty_buf_size: word("u16", 20),
    tty_termios_nccs: word("u16", 22, { doc: "control characters of a terminal" }),
  },
);

export const HEADER_0ABE2FE = struct("HEADER", 72, "HEADER as header sets 0abe2fe to c97c03d wrote it", {
  magic: word("u64", 8),
  arch_id: word("le16", 16),
  major: word("u16", 18),
  minor: word("u16", 20),
  patch: word("u16", 22),
  rev: word("u16", 24),
  constants: inner(CONSTANTS_0ABE2FE, 32),
  time: word("u64", 56),
  uflags: word("u64", 64, { domain: CHECKPOINT_FLAGS, kept: false }),
});

export const HEADER_67CFEE9 = struct("HEADER", 72, "HEADER as header sets 67cfee9 to f0fdd38 wrote it", {
  magic: word("u64", 8),
  arch_id: word("le16", 16),
  major: word("u16", 18),
  minor: word("u16", 20),
  patch: word("u16", 22),
  rev: word("u16", 24),
  constants: inner(CONSTANTS_67CFEE9, 32),
  time: word("u64", 56),
  uflags: word("u64", 64, { domain: CHECKPOINT_FLAGS, kept: false }),
});

export const HEADER = struct("HEADER", 72, "First record of every image: kernel, time and flags", {
  magic: word("u64", 8, { doc: "0x00feed0cc0a2d200", show: { as: "hex" } }),
  arch_id: word("le16", 16, {
    doc: "architecture; little-endian in every image, and numbered by revision",
  }),
  major: word("u16", 18, { doc: "kernel version" }),
  minor: word("u16", 20),
  patch: word("u16", 22),
  rev: word("u16", 24, { doc: "CHECKPOINT_VERSION, common to many layouts" }),
  constants: inner(CONSTANTS, 32, { doc: "build-time sizes of the kernel" }),
  time: word("u64", 56, { doc: "wall clock at the checkpoint, in seconds" }),
  uflags: word("u64", 64, {
    doc: "1 a subtree, 2 with network namespaces",
    domain: CHECKPOINT_FLAGS,
    kept: false,
  }),
});

export const OBJREF = struct(
  "OBJREF",
  16,
  "Declares a shared object: its records follow, and later references use its objref",
  {
    objtype: word("u32", 8, { doc: "type of the object; numbered by revision" }),
    objref: word("s32", 12, { doc: "unique objref, above 0" }),
  },
);

export const SECURITY = struct("SECURITY", 16, "A security label; its text follows as a STRING", {
  ptrref: word("s32", 8, { doc: "number for references", domain: range(1, 0x7fff_ffff) }),
  sectype: word("u8", 12, { doc: "1 message, 2 IPC, 3 file, 4 credentials", domain: range(1, 4) }),
});

export const PIDS = struct("PIDS", 24, "Number of process ids in the image; a BUFFER with the ids follows", {
  nr_pids: word("u32", 8, { doc: "elements in the BUFFER" }),
  nr_vpids: word("u32", 12, { doc: "sum of the depths of all elements" }),
  offset: word("u32", 16, { doc: "tag of the first element" }),
});

export const TREE_0ABE2FE = struct("TREE", 16, "TREE as header sets 0abe2fe to a272e68 wrote it", {
  nr_tasks: word("s32", 8),
});

export const TREE = struct(
  "TREE",
  16,
  "Number of tasks; a BUFFER with their ids follows, in the order of the TASK records",
  {
    nr_tasks: word("u32", 8, { doc: "elements of 24 bytes in the BUFFER" }),
  },
);

export const TASK_PIDS = struct(
  "ckpt_task_pids",
  24,
  "Ids of one task, as tags: the first id of PIDS has the tag `offset`, the next ones follow",
  {
    vpid: word("s32", 0),
    vppid: word("s32", 4, { doc: "parent; 0 for the root task" }),
    vtgid: word("s32", 8, { doc: "process; differs from vpid for a thread" }),
    vpgid: word("s32", 12, { doc: "process group; 0 outside of the namespace" }),
    vsid: word("s32", 16, { doc: "session; 0 outside of the namespace" }),
    depth: word("u32", 20, { doc: "levels below the outermost pid namespace" }),
  },
);

export const TASK_PIDS_0ABE2FE = struct(
  "ckpt_pids",
  24,
  "ckpt_task_pids of older header sets, with plain pid numbers",
  {
    vpid: word("s32", 0),
    vppid: word("s32", 4),
    vtgid: word("s32", 8),
    vpgid: word("s32", 12),
    vsid: word("s32", 16),
  },
);

export const TASK_PIDS_C83F38B = struct(
  "ckpt_pids",
  32,
  "ckpt_task_pids of older header sets, with plain pid numbers",
  {
    vpid: word("s32", 0),
    vppid: word("s32", 4),
    vtgid: word("s32", 8),
    vpgid: word("s32", 12),
    vsid: word("s32", 16),
    rsid: word("s32", 20),
    depth: word("s32", 24),
  },
);

export const TASK_PIDS_78D18CF = struct(
  "ckpt_pids",
  24,
  "ckpt_task_pids of older header sets, with plain pid numbers",
  {
    vpid: word("s32", 0),
    vppid: word("s32", 4),
    vtgid: word("s32", 8),
    vpgid: word("s32", 12),
    vsid: word("s32", 16),
    depth: word("s32", 20),
  },
);

export const VPIDS = struct(
  "VPIDS",
  16,
  "Number of ids below the outermost pid namespace; a BUFFER of s32 follows if not 0",
  {
    nr_vpids: word("s32", 8),
  },
);

export const TAIL = struct("TAIL", 16, "Last record of a complete image", {
  magic: word("u64", 8, { doc: "0x002d2a0cc0deef00", show: { as: "hex" } }),
});
