import { streamFieldRule } from "../field-values.js";
import type { Rule } from "../finding.js";
import { descriptorOrder } from "../rules/files.js";
import type { StreamContext } from "./context.js";
import { credentialRules } from "./creds.js";
import { extensionRules } from "./extensions.js";
import { fileExtensionRules } from "./file-extensions.js";
import { fileRules } from "./files.js";
import { framingRules } from "./framing.js";
import { headRules } from "./head.js";
import { ipcRules } from "./ipc.js";
import { streamLockRules } from "./locks.js";
import { memoryRules } from "./memory.js";
import { objectRules } from "./objects.js";
import { pageRules } from "./pages.js";
import { pidRules } from "./pids.js";
import { placeExtensionRules } from "./place-extensions.js";
import { queueRules } from "./queues.js";
import { signalRules } from "./signals.js";
import { socketRules } from "./sockets.js";
import { taskExtensionRules } from "./task-extensions.js";
import { taskRules } from "./tasks.js";
import { terminalRules } from "./terminals.js";
import { unlinkedRules } from "./unlinked.js";
import { x86Rules } from "./x86.js";

/** The rules that need nothing but a linux-cr stream. */
export const STREAM_RULES: readonly Rule<StreamContext>[] = [
  ...framingRules,
  streamFieldRule,
  ...headRules,
  ...pidRules,
  ...objectRules,
  ...taskRules,
  ...credentialRules,
  ...fileRules,
  descriptorOrder,
  ...socketRules,
  ...queueRules,
  ...terminalRules,
  ...ipcRules,
  ...memoryRules,
  ...pageRules,
  ...x86Rules,
  ...signalRules,
  ...streamLockRules,
  ...unlinkedRules,
  ...extensionRules,
  ...taskExtensionRules,
  ...fileExtensionRules,
  ...placeExtensionRules,
];
