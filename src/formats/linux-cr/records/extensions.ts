import { type Layout, type RecordOptions, record } from "../record-kind.js";
import * as FILES from "../tables/extensions-files.js";
import * as SOCKETS from "../tables/extensions-sockets.js";
import * as TASKS from "../tables/extensions-tasks.js";

/** Version of the extension records that crimg writes, and the newest that it reads. */
export const EXTENSION_VERSION = 1;

/** Program that wrote an image, by EXTENSIONS.writer. */
export const EXTENSION_WRITERS: Readonly<Record<number, string>> = {
  1: "crimg convert",
  2: "crimg checkpoint",
  3: "crimg edit",
};

/** Whether an id is in the range of crimg extension records, known or not. */
export function isExtensionId(id: number): boolean {
  return id >= 20000 && id <= 20999;
}

/** A crimg extension record, with the same id in all header sets. */
function ours<const T extends Layout["table"]>(
  name: string,
  id: number,
  table: T,
  options: Omit<RecordOptions, "doc" | "certainty"> = {},
) {
  return record(name, [[id, "0abe2fe"]], [{ table }], {
    doc: table.doc,
    certainty: "our extension",
    ...options,
  });
}

/** crimg extension records: state of processes that the header files of 2011 have no records for. */
export const EXTENSIONS_RECORDS = {
  EXTENSIONS: ours("EXTENSIONS", 20000, TASKS.EXTENSIONS),
  CLOCKS: ours("CLOCKS", 20001, TASKS.CLOCKS),
  CGROUP_SET: ours("CGROUP_SET", 20002, TASKS.CGROUP_SET, { payload: "text" }),
  SECCOMP_FILTER: ours("SECCOMP_FILTER", 20003, TASKS.SECCOMP_FILTER, { payload: "bytes" }),
  TASK_EXTRA: ours("TASK_EXTRA", 20010, TASKS.TASK_EXTRA),
  RSEQ: ours("RSEQ", 20011, TASKS.RSEQ),
  XSTATE: ours("XSTATE", 20012, TASKS.XSTATE, { payload: "bytes" }),
  POSIX_TIMER: ours("POSIX_TIMER", 20013, TASKS.POSIX_TIMER),
  IPC_NS_EXTRA: ours("IPC_NS_EXTRA", 20014, TASKS.IPC_NS_EXTRA),
  FILE_IDENTITY: ours("FILE_IDENTITY", 20020, FILES.FILE_IDENTITY, { payload: "bytes" }),
  PIPE_STATE: ours("PIPE_STATE", 20021, FILES.PIPE_STATE),
  TIMERFD: ours("TIMERFD", 20022, FILES.TIMERFD),
  SIGNALFD: ours("SIGNALFD", 20023, FILES.SIGNALFD),
  MEMFD: ours("MEMFD", 20024, FILES.MEMFD, {
    payload: "text",
    follows: "pages by page index, if the inode_objref is new",
  }),
  INOTIFY: ours("INOTIFY", 20025, FILES.INOTIFY, { follows: "INOTIFY_WATCH, nr_watches times" }),
  INOTIFY_WATCH: ours("INOTIFY_WATCH", 20026, FILES.INOTIFY_WATCH, { payload: "path" }),
  OPENED_NAME: ours("OPENED_NAME", 20027, FILES.OPENED_NAME, { payload: "path" }),
  UNLINKED_EXTRA: ours("UNLINKED_EXTRA", 20028, FILES.UNLINKED_EXTRA),
  SOCKET_EXTRA: ours("SOCKET_EXTRA", 20030, FILES.SOCKET_EXTRA),
  TCP_EXTRA: ours("TCP_EXTRA", 20031, SOCKETS.TCP_EXTRA),
  PACKET_RIGHTS: ours("PACKET_RIGHTS", 20032, SOCKETS.PACKET_RIGHTS, { payload: "u32", count: "nr_files" }),
  TTY_EXTRA: ours("TTY_EXTRA", 20033, FILES.TTY_EXTRA, { payload: "bytes" }),
  FS_EXTRA: ours("FS_EXTRA", 20034, FILES.FS_EXTRA),
  SOCKET_NETLINK: ours("SOCKET_NETLINK", 20035, SOCKETS.SOCKET_NETLINK),
  SOCKET_PACKET: ours("SOCKET_PACKET", 20036, SOCKETS.SOCKET_PACKET),
  VMA_EXTRA: ours("VMA_EXTRA", 20040, FILES.VMA_EXTRA, {
    payload: "text",
    follows: "pages, by flags or vma_type",
  }),
  SYSV_SEGMENT: ours("SYSV_SEGMENT", 20041, FILES.SYSV_SEGMENT),
  GUARD_PAGES: ours("GUARD_PAGES", 20042, FILES.GUARD_PAGES),
} as const;
