import { message, optional, required, type Value } from "../../../schema/message.js";

export const SA_ENTRY = message("sa_entry", "", {
  sigaction: required(1, "uint64", { show: { as: "hex" } }),
  flags: required(2, "uint64", { show: { as: "hex" } }),
  restorer: required(3, "uint64", { show: { as: "hex" } }),
  mask: required(4, "uint64", { show: { as: "hex" } }),
  compat_sigaction: optional(5, "bool", { since: "3.0" }),
  mask_extended: optional(6, "uint64", { show: { as: "hex" }, since: "3.15" }),
});
export type SaEntry = Value<typeof SA_ENTRY>;
