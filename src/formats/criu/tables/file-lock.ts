import { message, required, type Value } from "../../../schema/message.js";

/** Kinds of locks, numbered by criu: file_lock_entry.flag. */
export const LOCK_POSIX = 1;
export const LOCK_FLOCK = 2;
export const LOCK_OFD = 4;
export const LOCK_LEASE = 8;
/** Bit of the type of a lease: it is breaking, and the other bits are its target type. */
export const LEASE_BREAKING = 4;

export const FILE_LOCK_ENTRY = message("file_lock_entry", "A lock or lease on an open file.", {
  flag: required(1, "uint32", { doc: "kind: 1 POSIX, 2 flock, 4 OFD, 8 lease" }),
  type: required(2, "uint32", {
    doc: "POSIX, OFD, lease: 0 read, 1 write; flock: 0 shared, 1 exclusive; a breaking lease: 4 or-ed with its target type, 0 read or 2 none",
  }),
  pid: required(3, "int32", { doc: "a task of the set that holds the descriptor" }),
  fd: required(4, "int32", { doc: "the descriptor in that task" }),
  start: required(5, "int64", { doc: "first byte; 0 for flock and leases" }),
  len: required(6, "int64", { doc: "bytes, 0 up to the end of the file" }),
});
export type FileLockEntry = Value<typeof FILE_LOCK_ENTRY>;
