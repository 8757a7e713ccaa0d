import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const NS_FILE_ENTRY = message("ns_file_entry", "", {
  id: required(1, "uint32"),
  ns_id: required(2, "uint32"),
  ns_cflag: required(3, "uint32"),
  flags: required(4, "uint32"),
});
export type NsFileEntry = Value<typeof NS_FILE_ENTRY>;

export const PIDNS_ENTRY = message("pidns_entry", "", {
  ext_key: optional(1, "string", { holds: "label" }),
});
export type PidnsEntry = Value<typeof PIDNS_ENTRY>;

export const TIMESPEC = message("timespec", "", {
  tv_sec: required(1, "uint64"),
  tv_nsec: required(2, "uint64"),
});
export type Timespec = Value<typeof TIMESPEC>;

export const TIMENS_ENTRY = message("timens_entry", "", {
  monotonic: required(1, TIMESPEC),
  boottime: required(2, TIMESPEC),
});
export type TimensEntry = Value<typeof TIMENS_ENTRY>;

export const UID_GID_EXTENT = message("uid_gid_extent", "", {
  first: required(1, "uint32"),
  lower_first: required(2, "uint32"),
  count: required(3, "uint32"),
});
export type UidGidExtent = Value<typeof UID_GID_EXTENT>;

export const USERNS_ENTRY = message("userns_entry", "", {
  uid_map: repeated(1, UID_GID_EXTENT),
  gid_map: repeated(2, UID_GID_EXTENT),
});
export type UsernsEntry = Value<typeof USERNS_ENTRY>;

export const UTSNS_ENTRY = message("utsns_entry", "", {
  nodename: required(1, "string", { holds: "host-name" }),
  domainname: required(2, "string", { holds: "host-name" }),
});
export type UtsnsEntry = Value<typeof UTSNS_ENTRY>;
