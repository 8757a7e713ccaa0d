import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const SECCOMP_FILTER = message("seccomp_filter", "One seccomp filter.", {
  filter: required(1, "bytes", { doc: "BPF instructions of 8 bytes" }),
  prev: optional(2, "uint32", { doc: "index of the previously installed filter, absent for the first" }),
  flags: optional(3, "uint32", { doc: "SECCOMP_FILTER_FLAG_* bits", since: "3.10" }),
});
export type SeccompFilter = Value<typeof SECCOMP_FILTER>;

export const SECCOMP_ENTRY = message(
  "seccomp_entry",
  "The seccomp filters of all threads; each thread refers to its last one by index.",
  {
    seccomp_filters: repeated(1, SECCOMP_FILTER),
  },
);
export type SeccompEntry = Value<typeof SECCOMP_ENTRY>;
