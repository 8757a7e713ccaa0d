import type { CheckpointOutcome, CheckpointRequest } from "./backends/slim/checkpoint/checkpoint.js";
import type { DeletedMethod } from "./backends/slim/deleted-files/substitutes.js";
import type { ByteSource } from "./io/source.js";

/** The ways to save a file that has no name any more. */
export const DELETED_METHODS: readonly DeletedMethod[] = ["contents", "copy", "relink"];

/** Writes the image to a file, whole or not at all, whatever happens. Errors: USAGE when it exists (replaced with `force`); IO. */
export type SaveImage = (
  out: string,
  force: boolean,
  onWritten: (done: number, total: number) => void,
) => void;

/**
 * Checkpoints a process and its descendants with the slim backend, which is loaded only now. `write` gets the image, a
 * linux-cr stream, while the tree stands still; its size is known before a byte is read. Gives what cannot be saved,
 * object by object: nothing is written then; or what the image does not hold. `save` writes it to a file. Errors: BackendError naming what the kernel refused; those of `write`.
 */
export async function checkpointTree(
  request: CheckpointRequest,
  write: (image: ByteSource, save: SaveImage) => void,
): Promise<CheckpointOutcome> {
  const [{ checkpoint }, { saveImage }] = await Promise.all([
    import("./backends/slim/checkpoint/checkpoint.js"),
    import("./backends/slim/checkpoint/image-file.js"),
  ]);
  return checkpoint(request, (image) =>
    write(image, (out, force, onWritten) => saveImage(image, out, force, onWritten)),
  );
}
