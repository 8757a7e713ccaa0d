import { message, optional, required, type Value } from "../../../schema/message.js";

export const BINFMT_MISC_ENTRY = message("binfmt_misc_entry", "", {
  name: required(1, "string"),
  enabled: required(2, "bool"),
  interpreter: required(3, "string", { holds: "path" }),
  flags: optional(4, "string"),
  extension: optional(5, "string"),
  magic: optional(6, "string"),
  mask: optional(7, "string"),
  offset: optional(8, "int32"),
});
export type BinfmtMiscEntry = Value<typeof BINFMT_MISC_ENTRY>;
