import type { RecordKind, RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { ObjectType } from "../../../formats/linux-cr/revisions.js";
import { OFD_LOCK } from "../../../formats/linux-cr/tables/dialect.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { FL_POSIX } from "../../../linux/locks.js";

/** What a reference names: an object that OBJREF announces, or the number that a SECURITY has for its users. */
export type Target = ObjectType | "label";

/** A field of a record that names an object. */
export interface ReferenceRow {
  readonly kind: RecordKind;
  readonly field: string;
  readonly target: Target;
  /** 0 stands for none. */
  readonly isOptional: boolean;
  /** Whether the field is a reference in this record. */
  readonly when: (value: never) => boolean;
}

function row<K extends RecordKind>(
  kind: K,
  field: string,
  target: Target,
  presence: "always" | "optional" = "always",
  when: (value: RecordValue<K>) => boolean = () => true,
): ReferenceRow {
  return { kind, field, target, isOptional: presence === "optional", when };
}

const R = RECORDS;
/** VMA types that map a file. */
const OF_FILES: ReadonlySet<number> = new Set([VMA_TYPE.privateFile, VMA_TYPE.sharedFile]);

/** Every field that names an object by its number. Numbers that no OBJREF declares are in `hidden-numbers.ts`. */
export const REFERENCES: readonly ReferenceRow[] = [
  row(R.TASK_CREDS, "cred_ref", "CRED"),
  row(R.TASK_CREDS, "ecred_ref", "CRED"),
  row(R.CRED, "user_ref", "USER"),
  row(R.CRED, "groupinfo_ref", "GROUPINFO"),
  row(R.CRED, "sec_ref", "label", "optional"),
  row(R.USER, "userns_ref", "USER_NS"),
  row(R.USER_NS, "creator_ref", "USER", "optional"),
  row(R.TASK_NS, "ns_objref", "NS"),
  row(R.NS, "uts_objref", "UTS_NS", "optional"),
  row(R.NS, "ipc_objref", "IPC_NS", "optional"),
  row(R.NS, "net_objref", "NET_NS", "optional"),
  row(R.TASK_OBJS, "files_objref", "FILE_TABLE"),
  row(R.TASK_OBJS, "mm_objref", "MM"),
  row(R.TASK_OBJS, "fs_objref", "FS"),
  row(R.TASK_OBJS, "sem_undo_objref", "SEM_UNDO", "optional"),
  row(R.TASK_OBJS, "sighand_objref", "SIGHAND"),
  row(R.FILE_DESC, "fd_objref", "FILE"),
  row(R.FILE, "f_credref", "CRED"),
  row(R.FILE, "f_secref", "label", "optional"),
  row(R.FILE, "sock_objref", "SOCK", "always", ({ f_type }) => f_type === FILE_TYPE.socket),
  row(R.FILE, "tty_objref", "TTY", "always", ({ f_type }) => f_type === FILE_TYPE.terminal),
  row(R.EPOLL_ITEMS, "epfile_objref", "FILE"),
  row(R.TTY, "link_objref", "TTY", "optional"),
  row(R.SIGNAL, "tty_objref", "TTY", "optional"),
  row(R.MM, "exe_objref", "FILE", "optional"),
  row(R.VMA, "vma_objref", "FILE", "always", ({ vma_type }) => OF_FILES.has(vma_type)),
  row(R.SOCKET_UNIX, "this", "SOCK"),
  row(R.SOCKET_UNIX, "peer", "SOCK", "optional"),
  row(R.SOCKET_UNIX, "peercred", "CRED", "optional"),
  row(R.SOCKET_BUFFER, "sk_objref", "SOCK", "optional"),
  row(R.SOCKET_BUFFER, "pr_objref", "SOCK", "optional"),
  row(R.IPC_SHM, "perms.sec_ref", "label", "optional"),
  row(R.IPC_MSG, "perms.sec_ref", "label", "optional"),
  row(R.IPC_SEM, "perms.sec_ref", "label", "optional"),
  row(R.IPC_MSG_MSG, "sec_ref", "label", "optional"),
  row(R.FILE_OWNER, "file_objref", "FILE"),
  row(R.FILE_UNLINKED, "file_objref", "FILE"),
  row(R.FILE_IDENTITY, "file_objref", "FILE"),
  row(R.OPENED_NAME, "file_objref", "FILE"),
  row(R.UNLINKED_EXTRA, "file_objref", "FILE"),
  row(R.FS_EXTRA, "cwd_objref", "FILE", "optional"),
  row(R.FS_EXTRA, "root_objref", "FILE", "optional"),
  row(R.FILE_LOCK, "owner_ref", "FILE_TABLE", "always", ({ fl_flags }) => fl_flags === FL_POSIX),
  row(R.FILE_LOCK, "owner_ref", "FILE", "always", ({ fl_flags }) => fl_flags === OFD_LOCK),
];
