import type { Rule } from "../finding.js";
import type { StreamContext } from "../stream/context.js";
import { changedFileRules } from "./changed-files.js";
import type { RootContext, SetRootContext } from "./context.js";
import { deletedOnDiskRules } from "./deleted-files.js";
import { modificationRules } from "./modified-files.js";
import { otherPathRules, peerRules } from "./other-paths.js";
import { watchedInodeRules } from "./watched-inodes.js";

/** The rules about files below the root. */
export const ROOT_RULES: readonly Rule<RootContext>[] = [
  ...changedFileRules,
  ...deletedOnDiskRules,
  ...otherPathRules,
];

/** Those that only a CRIU set can break. */
export const SET_ROOT_RULES: readonly Rule<SetRootContext>[] = [...peerRules, ...watchedInodeRules];

/** Those that only a linux-cr stream can break. */
export const STREAM_ROOT_RULES: readonly Rule<RootContext & { readonly image: StreamContext }>[] =
  modificationRules;
