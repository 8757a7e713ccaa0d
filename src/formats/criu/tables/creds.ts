import { BOOLEAN } from "../../../io/domains.js";
import { SECUREBITS } from "../../../linux/capabilities.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const CREDS_ENTRY = message(
  "creds_entry",
  "Credentials of a thread; ids are those inside the user namespace.",
  {
    uid: required(1, "uint32"),
    gid: required(2, "uint32"),
    euid: required(3, "uint32"),
    egid: required(4, "uint32"),
    suid: required(5, "uint32"),
    sgid: required(6, "uint32"),
    fsuid: required(7, "uint32"),
    fsgid: required(8, "uint32"),
    cap_inh: repeated(9, "uint32", { doc: "inheritable capabilities, two words, the low one first" }),
    cap_prm: repeated(10, "uint32", { doc: "permitted capabilities, two words, the low one first" }),
    cap_eff: repeated(11, "uint32", { doc: "effective capabilities, two words, the low one first" }),
    cap_bnd: repeated(12, "uint32", { doc: "bounding set, two words, the low one first" }),
    secbits: required(13, "uint32", { doc: "SECBIT_* flags, capabilities(7)", domain: SECUREBITS }),
    groups: repeated(14, "uint32", { doc: "supplementary groups" }),
    lsm_profile: optional(15, "string", {
      doc: "SELinux context or AppArmor profile",
      holds: "label",
      since: "1.6",
    }),
    lsm_sockcreate: optional(16, "string", {
      doc: "SELinux context for new sockets",
      holds: "label",
      since: "3.13",
    }),
    apparmor_data: optional(17, "bytes", { doc: "not used by criu", since: "3.16" }),
    no_new_privs: optional(18, "uint32", {
      doc: "1 if execve(2) grants no privileges",
      domain: BOOLEAN,
      since: "3.19",
    }),
    cap_amb: repeated(19, "uint32", {
      doc: "ambient capabilities, two words, the low one first",
      since: "4.1",
    }),
  },
);
export type CredsEntry = Value<typeof CREDS_ENTRY>;
