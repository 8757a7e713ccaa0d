import { message, repeated, required, type Value } from "../../../schema/message.js";

export const SCM_ENTRY = message("scm_entry", "Control data of a packet in a unix socket's queue.", {
  type: required(1, "uint32", { doc: "SCM_RIGHTS (1)" }),
  rights: repeated(2, "uint32", {
    doc: "ids of the open files sent with the packet, which may be in no descriptor table",
  }),
});
export type ScmEntry = Value<typeof SCM_ENTRY>;

export const SK_PACKET_ENTRY = message(
  "sk_packet_entry",
  "One packet in a unix socket's queue; its bytes follow the record.",
  {
    id_for: required(1, "uint32", { doc: "id of the open file of the receiving socket" }),
    length: required(2, "uint32", { doc: "bytes that follow" }),
    scm: repeated(4, SCM_ENTRY, { since: "3.6" }),
  },
);
export type SkPacketEntry = Value<typeof SK_PACKET_ENTRY>;
