import { message, repeated, required, type Value } from "../../../schema/message.js";

export const AA_POLICY = message("aa_policy", "", {
  name: required(1, "string", { holds: "label" }),
  blob: required(2, "bytes"),
});
export type AaPolicy = Value<typeof AA_POLICY>;

export const AA_NAMESPACE = message("aa_namespace", "", {
  name: required(1, "string", { holds: "label" }),
  policies: repeated(2, AA_POLICY),
  namespaces: repeated(3, "self"),
});
export type AaNamespace = Value<typeof AA_NAMESPACE>;

export const APPARMOR_ENTRY = message("apparmor_entry", "", {
  namespaces: repeated(1, AA_NAMESPACE),
});
export type ApparmorEntry = Value<typeof APPARMOR_ENTRY>;
