import { message, repeated, required, type Value } from "../../../schema/message.js";

export const SCM_ENTRY = message("scm_entry", "", {
  type: required(1, "uint32"),
  rights: repeated(2, "uint32"),
});
export type ScmEntry = Value<typeof SCM_ENTRY>;

export const SK_PACKET_ENTRY = message("sk_packet_entry", "", {
  id_for: required(1, "uint32"),
  length: required(2, "uint32"),
  scm: repeated(4, SCM_ENTRY, { since: "3.6" }),
});
export type SkPacketEntry = Value<typeof SK_PACKET_ENTRY>;
