import type { CheckpointOutcome, CheckpointRequest } from "./backends/slim/checkpoint/checkpoint.js";
import type { DeletedMethod } from "./backends/slim/deleted-files/substitutes.js";
import type { OutputName } from "./io/private-file.js";
import type { ByteSource } from "./io/source.js";

/** The ways to save a deleted file. */
export const DELETED_METHODS: readonly DeletedMethod[] = ["contents", "copy", "relink"];

/** Writes the image to a file, completely or not at all. Errors: USAGE if it exists (replaced with `force`); IO. */
export type SaveImage = (
  out: OutputName,
  force: boolean,
  onWritten: (done: number, total: number) => void,
) => void;

/**
 * Checkpoints a process and its descendants with the slim backend, which is loaded only now. `write` gets the image, a
 * linux-cr stream, while the tasks are stopped; its size is known before a byte is read. `save` writes it to a file.
 * Returns the objects that cannot be saved, in which case nothing is written, or warnings about what the image does not
 * hold. Errors: BackendError with the system call that failed; those of `write`.
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
