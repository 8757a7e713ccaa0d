import type { Rule } from "../finding.js";
import { changedFileRules } from "./changed-files.js";
import type { RootContext } from "./context.js";
import { deletedOnDiskRules } from "./deleted-files.js";
import { otherPathRules } from "./other-paths.js";

/** The rules about files below the root. */
export const ROOT_RULES: readonly Rule<RootContext>[] = [
  ...changedFileRules,
  ...deletedOnDiskRules,
  ...otherPathRules,
];
