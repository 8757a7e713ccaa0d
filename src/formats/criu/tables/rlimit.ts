import { message, required, type Value } from "../../../schema/message.js";

export const RLIMIT_ENTRY = message("rlimit_entry", "A resource limit; all ones for unlimited.", {
  cur: required(1, "uint64", { doc: "soft limit" }),
  max: required(2, "uint64", { doc: "hard limit" }),
});
export type RlimitEntry = Value<typeof RLIMIT_ENTRY>;
