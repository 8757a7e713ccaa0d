import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const NS_FILE_ENTRY = message("ns_file_entry", "An open /proc/PID/ns file.", {
  id: required(1, "uint32", { doc: "id of the open file" }),
  ns_id: required(2, "uint32", { doc: "the namespace, by its id in the set" }),
  ns_cflag: required(3, "uint32", { doc: "its kind as a CLONE_NEW* flag" }),
  flags: required(4, "uint32"),
});
export type NsFileEntry = Value<typeof NS_FILE_ENTRY>;

export const PIDNS_ENTRY = message("pidns_entry", "An external pid namespace.", {
  ext_key: optional(1, "string", { doc: "key for --inherit-fd at the restore", holds: "label" }),
});
export type PidnsEntry = Value<typeof PIDNS_ENTRY>;

export const TIMESPEC = message("timespec", "A time of a clock.", {
  tv_sec: required(1, "uint64"),
  tv_nsec: required(2, "uint64", { doc: "0 to 999,999,999" }),
});
export type Timespec = Value<typeof TIMESPEC>;

export const TIMENS_ENTRY = message(
  "timens_entry",
  "Clocks at the dump, from which they continue after a restore.",
  {
    monotonic: required(1, TIMESPEC, { doc: "CLOCK_MONOTONIC" }),
    boottime: required(2, TIMESPEC, { doc: "CLOCK_BOOTTIME" }),
  },
);
export type TimensEntry = Value<typeof TIMENS_ENTRY>;

export const UID_GID_EXTENT = message(
  "uid_gid_extent",
  "A range of user or group ids of a user namespace, as a line of uid_map.",
  {
    first: required(1, "uint32", { doc: "first id inside" }),
    lower_first: required(2, "uint32", { doc: "first id outside" }),
    count: required(3, "uint32", { doc: "number of ids" }),
  },
);
export type UidGidExtent = Value<typeof UID_GID_EXTENT>;

export const USERNS_ENTRY = message("userns_entry", "Id maps of a user namespace.", {
  uid_map: repeated(1, UID_GID_EXTENT),
  gid_map: repeated(2, UID_GID_EXTENT),
});
export type UsernsEntry = Value<typeof USERNS_ENTRY>;

export const UTSNS_ENTRY = message("utsns_entry", "Host and domain name of a UTS namespace.", {
  nodename: required(1, "string", { holds: "host-name" }),
  domainname: required(2, "string", { holds: "host-name" }),
});
export type UtsnsEntry = Value<typeof UTSNS_ENTRY>;
