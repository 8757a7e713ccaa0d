import type { Checkpoint } from "../checkpoint.js";
import { Access } from "./access.js";
import type { Bearer } from "./bearer.js";
import { fileRights } from "./files.js";
import type { Right } from "./right.js";
import { socketRights } from "./sockets.js";
import { surroundingRights } from "./surroundings.js";
import { taskRights } from "./tasks.js";

/**
 * All that a checkpoint asks for beyond what its owner could have. Without `root`, the directory that stands for `/`,
 * files of the host are not looked at. Errors: FormatError for a damaged image.
 */
export function* rightsBeyond(checkpoint: Checkpoint, owner: Bearer, root?: string): Generator<Right> {
  const access = root === undefined ? undefined : new Access(root, owner);
  for (const task of checkpoint.tasks) yield* taskRights(task, owner, checkpoint.surroundings);
  yield* fileRights(checkpoint, owner, access);
  yield* socketRights(checkpoint, owner, access);
  yield* surroundingRights(checkpoint, owner);
}
