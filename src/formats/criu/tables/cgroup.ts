import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const CGROUP_PERMS = message("cgroup_perms", "", {
  mode: required(1, "uint32"),
  uid: required(2, "uint32"),
  gid: required(3, "uint32"),
});
export type CgroupPerms = Value<typeof CGROUP_PERMS>;

export const CGROUP_PROP_ENTRY = message("cgroup_prop_entry", "", {
  name: required(1, "string"),
  value: required(2, "string"),
  perms: optional(3, CGROUP_PERMS, { since: "2.0" }),
});
export type CgroupPropEntry = Value<typeof CGROUP_PROP_ENTRY>;

export const CGROUP_DIR_ENTRY = message("cgroup_dir_entry", "", {
  dir_name: required(1, "string", { holds: "cgroup-path" }),
  children: repeated(2, "self"),
  properties: repeated(3, CGROUP_PROP_ENTRY),
  dir_perms: optional(4, CGROUP_PERMS, { since: "2.0" }),
});
export type CgroupDirEntry = Value<typeof CGROUP_DIR_ENTRY>;

export const CG_CONTROLLER_ENTRY = message("cg_controller_entry", "", {
  cnames: repeated(1, "string"),
  dirs: repeated(2, CGROUP_DIR_ENTRY),
  is_threaded: optional(3, "bool", { since: "3.18" }),
});
export type CgControllerEntry = Value<typeof CG_CONTROLLER_ENTRY>;

export const CG_MEMBER_ENTRY = message("cg_member_entry", "", {
  name: required(1, "string"),
  path: required(2, "string", { holds: "cgroup-path" }),
  cgns_prefix: optional(3, "uint32", { since: "2.0" }),
});
export type CgMemberEntry = Value<typeof CG_MEMBER_ENTRY>;

export const CG_SET_ENTRY = message("cg_set_entry", "", {
  id: required(1, "uint32"),
  ctls: repeated(2, CG_MEMBER_ENTRY),
});
export type CgSetEntry = Value<typeof CG_SET_ENTRY>;

export const CGROUP_ENTRY = message("cgroup_entry", "", {
  sets: repeated(1, CG_SET_ENTRY),
  controllers: repeated(2, CG_CONTROLLER_ENTRY, { since: "1.3" }),
});
export type CgroupEntry = Value<typeof CGROUP_ENTRY>;
