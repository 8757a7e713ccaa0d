import type { SetContext } from "../context.js";
import { setFieldRule } from "../field-values.js";
import type { Rule } from "../finding.js";
import { referenceRules } from "../references/rules.js";
import { descriptorOrder } from "../rules/files.js";
import { criuFaultRules } from "./criu-faults.js";
import { deletedFileRules } from "./deleted-files.js";
import { fileRules } from "./files.js";
import { framingRules } from "./framing.js";
import { inetSocketRules } from "./inet-sockets.js";
import { inventoryRules } from "./inventory.js";
import { kernelObjectRules } from "./kernel-objects.js";
import { memoryRules } from "./mappings.js";
import { mountRules } from "./mounts.js";
import { oddFieldRules } from "./odd-fields.js";
import { pageRules } from "./pages.js";
import { parentRules } from "./parents.js";
import { securityRules } from "./security.js";
import { taskImageRules } from "./task-images.js";
import { terminalRules } from "./terminals.js";
import { treeRules } from "./tree.js";

/** The rules that need nothing but the set. */
export const SET_RULES: readonly Rule<SetContext>[] = [
  ...framingRules,
  ...oddFieldRules,
  setFieldRule,
  ...inventoryRules,
  ...treeRules,
  ...taskImageRules,
  ...kernelObjectRules,
  ...fileRules,
  descriptorOrder,
  ...referenceRules,
  ...deletedFileRules,
  ...memoryRules,
  ...pageRules,
  ...parentRules,
  ...inetSocketRules,
  ...terminalRules,
  ...mountRules,
  ...securityRules,
  ...criuFaultRules,
];
