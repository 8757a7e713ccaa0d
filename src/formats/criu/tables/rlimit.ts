import { message, required, type Value } from "../../../schema/message.js";

export const RLIMIT_ENTRY = message("rlimit_entry", "", {
  cur: required(1, "uint64"),
  max: required(2, "uint64"),
});
export type RlimitEntry = Value<typeof RLIMIT_ENTRY>;
