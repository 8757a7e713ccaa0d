import type { ImageContext } from "../context.js";
import type { Rule } from "../finding.js";
import { accessRules } from "./access.js";
import { codeRules } from "./code.js";
import { disguiseRules } from "./disguise.js";

/** What an intruder leaves in tasks. These rules are checked on request: ordinary programs do some of it too. */
export const SUSPICIOUS_RULES: readonly Rule<ImageContext>[] = [
  ...codeRules,
  ...disguiseRules,
  ...accessRules,
];
