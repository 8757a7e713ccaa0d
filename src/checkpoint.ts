import type { Objection } from "./backends/backend.js";
import type { CheckpointRequest, DeletedMethod } from "./backends/slim/checkpoint/checkpoint.js";
import type { ByteSource } from "./io/source.js";

/** The ways to save a file that has no name any more. */
export const DELETED_METHODS: readonly DeletedMethod[] = ["contents", "copy", "relink"];

/**
 * Checkpoints a process and its descendants with crimg's own engine, which is loaded only now. `write` gets the image, a
 * linux-cr stream, while the tree stands still; its size is known before a byte is read. Gives what cannot be saved,
 * object by object: nothing is written then. Errors: BackendError naming what the kernel refused; those of `write`.
 */
export async function checkpointTree(
  request: CheckpointRequest,
  write: (image: ByteSource) => void,
): Promise<Objection[]> {
  const { checkpoint } = await import("./backends/slim/checkpoint/checkpoint.js");
  return checkpoint(request, write);
}
