import type { ImageKind } from "./image-kind.js";
import { NAMESPACE_IMAGES } from "./images/namespace.js";
import { OBJECT_IMAGES } from "./images/object.js";
import { SET_IMAGES } from "./images/set.js";
import { SPLIT_FILE_IMAGES } from "./images/split-files.js";
import { TASK_IMAGES } from "./images/task.js";

/**
 * Every image kind of CRIU; adding one is one row. Patterns of file names: %u a decimal id, %x a hexadecimal one, %s a
 * word. For kinds that share a magic the first is used if the file name does not match any.
 */
export const IMAGES = {
  ...SET_IMAGES,
  ...TASK_IMAGES,
  ...OBJECT_IMAGES,
  ...NAMESPACE_IMAGES,
  ...SPLIT_FILE_IMAGES,
} as const;

/** The kinds in table order. */
export const IMAGE_KINDS: readonly ImageKind[] = Object.values(IMAGES);
