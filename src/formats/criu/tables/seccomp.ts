import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const SECCOMP_FILTER = message("seccomp_filter", "", {
  filter: required(1, "bytes"),
  prev: optional(2, "uint32"),
  flags: optional(3, "uint32", { since: "3.10" }),
});
export type SeccompFilter = Value<typeof SECCOMP_FILTER>;

export const SECCOMP_ENTRY = message("seccomp_entry", "", {
  seccomp_filters: repeated(1, SECCOMP_FILTER),
});
export type SeccompEntry = Value<typeof SECCOMP_ENTRY>;
