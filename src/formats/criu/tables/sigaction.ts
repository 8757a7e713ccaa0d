import { message, optional, required, type Value } from "../../../schema/message.js";

export const SA_ENTRY = message("sa_entry", "The action of one signal, sigaction(2).", {
  sigaction: required(1, "uint64", {
    doc: "address of the handler; 0 default, 1 ignore",
    show: { as: "hex" },
  }),
  flags: required(2, "uint64", { doc: "SA_* bits", show: { as: "hex" } }),
  restorer: required(3, "uint64", { doc: "address that the handler returns to", show: { as: "hex" } }),
  mask: required(4, "uint64", { doc: "signals blocked while the handler runs", show: { as: "hex" } }),
  compat_sigaction: optional(5, "bool", { doc: "set by 32-bit code", since: "3.0" }),
  mask_extended: optional(6, "uint64", {
    doc: "blocked signals 65 to 128, where an architecture has them",
    show: { as: "hex" },
    since: "3.15",
  }),
});
export type SaEntry = Value<typeof SA_ENTRY>;
