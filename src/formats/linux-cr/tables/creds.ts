import { SECUREBITS } from "../../../linux/capabilities.js";
import { inner, struct, word } from "../../../schema/struct.js";

export const CAPABILITIES = struct(
  "ckpt_capabilities",
  40,
  "Capability sets in two halves, capabilities(7)",
  {
    cap_i_0: word("u32", 0, { doc: "inheritable", show: { as: "hex" } }),
    cap_i_1: word("u32", 4, { show: { as: "hex" } }),
    cap_p_0: word("u32", 8, { doc: "permitted", show: { as: "hex" } }),
    cap_p_1: word("u32", 12, { show: { as: "hex" } }),
    cap_e_0: word("u32", 16, { doc: "effective", show: { as: "hex" } }),
    cap_e_1: word("u32", 20, { show: { as: "hex" } }),
    cap_b_0: word("u32", 24, { doc: "bounding set", show: { as: "hex" } }),
    cap_b_1: word("u32", 28, { show: { as: "hex" } }),
    securebits: word("u32", 32, { doc: "capabilities(7)", domain: SECUREBITS }),
    padding: word("u32", 36),
  },
);

export const CRED_0ABE2FE = struct("CRED", 88, "CRED as header sets 0abe2fe to a53775e wrote it", {
  uid: word("u32", 8),
  suid: word("u32", 12),
  euid: word("u32", 16),
  fsuid: word("u32", 20),
  gid: word("u32", 24),
  sgid: word("u32", 28),
  egid: word("u32", 32),
  fsgid: word("u32", 36),
  user_ref: word("s32", 40),
  groupinfo_ref: word("s32", 44),
  cap_s: inner(CAPABILITIES, 48),
});

export const CRED = struct("CRED", 96, "User and group ids and capabilities, credentials(7)", {
  uid: word("u32", 8),
  suid: word("u32", 12),
  euid: word("u32", 16),
  fsuid: word("u32", 20),
  gid: word("u32", 24),
  sgid: word("u32", 28),
  egid: word("u32", 32),
  fsgid: word("u32", 36),
  user_ref: word("s32", 40),
  groupinfo_ref: word("s32", 44),
  sec_ref: word("s32", 48, { doc: "ptrref of the label, 0 for none" }),
  cap_s: inner(CAPABILITIES, 56),
});

export const USER = struct("USER", 16, "A user in a user namespace", {
  uid: word("u32", 8),
  userns_ref: word("s32", 12),
});

export const USER_NS = struct("USER_NS", 16, "A user namespace", {
  creator_ref: word("s32", 8, { doc: "creating USER; 0 for the namespace of the root task" }),
});

export const GROUPINFO = struct(
  "GROUPINFO",
  16,
  "Supplementary groups: `ngroups` u32 from offset 12, then 4 unused bytes",
  {
    ngroups: word("u32", 8),
  },
);
