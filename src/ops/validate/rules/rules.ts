import type { ImageContext } from "../context.js";
import type { Rule } from "../finding.js";
import { lockRules } from "./locks.js";
import { taskRules } from "./tasks.js";

/** The rules about what an image means, over the model: the same for both families, whichever way it is stored. */
export const MODEL_RULES: readonly Rule<ImageContext>[] = [...lockRules, ...taskRules];
