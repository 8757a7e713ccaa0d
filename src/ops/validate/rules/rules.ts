import type { ImageContext } from "../context.js";
import type { Rule } from "../finding.js";
import { deletedFileRules } from "./deleted-files.js";
import { fileRules } from "./files.js";
import { ipcRules } from "./ipc.js";
import { lockRules } from "./locks.js";
import { mappingRules } from "./mappings.js";
import { securityRules } from "./security.js";
import { socketRules } from "./sockets.js";
import { specialFileRules } from "./special-files.js";
import { taskRules } from "./tasks.js";
import { treeRules } from "./tree.js";

/** The rules about what an image means, over the model: the same for both families, whichever way it is stored. */
export const MODEL_RULES: readonly Rule<ImageContext>[] = [
  ...treeRules,
  ...taskRules,
  ...securityRules,
  ...mappingRules,
  ...fileRules,
  ...specialFileRules,
  ...deletedFileRules,
  ...socketRules,
  ...ipcRules,
  ...lockRules,
];
