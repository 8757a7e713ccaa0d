import type { Rule } from "../finding.js";
import { hostCapabilityRules } from "./capabilities.js";
import type { HostContext, SetHostContext, StreamHostContext } from "./context.js";
import { hostNetworkRules, setNetworkRules } from "./network.js";
import { setSystemRules } from "./set-system.js";
import { streamHostRules } from "./stream.js";
import { hostSystemRules } from "./system.js";
import { hostTaskRules } from "./tasks.js";

/** The rules about the machine that is to restore. */
export const HOST_RULES: readonly Rule<HostContext>[] = [
  ...hostSystemRules,
  ...hostTaskRules,
  ...hostCapabilityRules,
  ...hostNetworkRules,
];

/** Those that only a CRIU set can break. */
export const SET_HOST_RULES: readonly Rule<SetHostContext>[] = [...setSystemRules, ...setNetworkRules];

/** Those that only a linux-cr stream can break. */
export const STREAM_HOST_RULES: readonly Rule<StreamHostContext>[] = streamHostRules;
