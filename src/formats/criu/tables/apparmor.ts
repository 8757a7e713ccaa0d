import { message, repeated, required, type Value } from "../../../schema/message.js";

export const AA_POLICY = message("aa_policy", "One loaded AppArmor profile.", {
  name: required(1, "string", {
    doc: "name of the profile; often the path of the program that it confines",
    holds: "label",
  }),
  blob: required(2, "bytes", { doc: "the compiled policy, which cannot be edited" }),
});
export type AaPolicy = Value<typeof AA_POLICY>;

export const AA_NAMESPACE = message(
  "aa_namespace",
  "An AppArmor policy namespace with its profiles and the namespaces inside it.",
  {
    name: required(1, "string", { doc: "last part of the namespace's name", holds: "label" }),
    policies: repeated(2, AA_POLICY),
    namespaces: repeated(3, "self"),
  },
);
export type AaNamespace = Value<typeof AA_NAMESPACE>;

export const APPARMOR_ENTRY = message("apparmor_entry", "The AppArmor policies of the dumped container.", {
  namespaces: repeated(1, AA_NAMESPACE),
});
export type ApparmorEntry = Value<typeof APPARMOR_ENTRY>;
