import type { Rule } from "../finding.js";
import type { HostContext } from "./context.js";
import { hostNetworkRules } from "./network.js";
import { hostSystemRules } from "./system.js";
import { hostTaskRules } from "./tasks.js";

/** The rules about the machine that is to restore. */
export const HOST_RULES: readonly Rule<HostContext>[] = [
  ...hostSystemRules,
  ...hostTaskRules,
  ...hostNetworkRules,
];
