import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const CGROUP_PERMS = message(
  "cgroup_perms",
  "Mode and owner of a control group directory or of a file in it.",
  {
    mode: required(1, "uint32", { doc: "permission bits of st_mode" }),
    uid: required(2, "uint32"),
    gid: required(3, "uint32"),
  },
);
export type CgroupPerms = Value<typeof CGROUP_PERMS>;

export const CGROUP_PROP_ENTRY = message(
  "cgroup_prop_entry",
  "One control file of a control group and its contents.",
  {
    name: required(1, "string", { doc: "file name, such as memory.limit_in_bytes" }),
    value: required(2, "string", { doc: "contents; may name devices by number or network interfaces" }),
    perms: optional(3, CGROUP_PERMS, { since: "2.0" }),
  },
);
export type CgroupPropEntry = Value<typeof CGROUP_PROP_ENTRY>;

export const CGROUP_DIR_ENTRY = message("cgroup_dir_entry", "A directory of a control group hierarchy.", {
  dir_name: required(1, "string", {
    doc: "at the top the path from the root of the hierarchy without a leading slash, else the part below the parent entry",
    holds: "cgroup-path",
  }),
  children: repeated(2, "self"),
  properties: repeated(3, CGROUP_PROP_ENTRY, {
    doc: "control files in the order in which a restore writes them",
  }),
  dir_perms: optional(4, CGROUP_PERMS, { since: "2.0" }),
});
export type CgroupDirEntry = Value<typeof CGROUP_DIR_ENTRY>;

export const CG_CONTROLLER_ENTRY = message(
  "cg_controller_entry",
  "One hierarchy of control groups and the directories of it that a restore must create.",
  {
    cnames: repeated(1, "string", {
      doc: "controllers mounted together; name=NAME for a named hierarchy, an empty name for cgroup v2",
    }),
    dirs: repeated(2, CGROUP_DIR_ENTRY),
    is_threaded: optional(3, "bool", {
      doc: "the hierarchy has threaded groups of cgroup v2",
      since: "3.18",
    }),
  },
);
export type CgControllerEntry = Value<typeof CG_CONTROLLER_ENTRY>;

export const CG_MEMBER_ENTRY = message("cg_member_entry", "The control group of a task in one hierarchy.", {
  name: required(1, "string", {
    doc: "controllers of the hierarchy separated by commas, as in /proc/PID/cgroup",
  }),
  path: required(2, "string", { doc: "absolute path of the group in the hierarchy", holds: "cgroup-path" }),
  cgns_prefix: optional(3, "uint32", {
    doc: "number of leading bytes of path outside of the cgroup namespace",
    since: "2.0",
  }),
});
export type CgMemberEntry = Value<typeof CG_MEMBER_ENTRY>;

export const CG_SET_ENTRY = message("cg_set_entry", "One combination of control groups that tasks are in.", {
  id: required(1, "uint32", { doc: "id that cg_set of a task or thread refers to" }),
  ctls: repeated(2, CG_MEMBER_ENTRY),
});
export type CgSetEntry = Value<typeof CG_SET_ENTRY>;

export const CGROUP_ENTRY = message(
  "cgroup_entry",
  "All control groups of the set, except those of criu itself.",
  {
    sets: repeated(1, CG_SET_ENTRY, { doc: "each combination once" }),
    controllers: repeated(2, CG_CONTROLLER_ENTRY, { since: "1.3" }),
  },
);
export type CgroupEntry = Value<typeof CGROUP_ENTRY>;
