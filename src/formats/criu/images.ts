import type { ImageKind } from "./image-kind.js";
import { NAMESPACE_IMAGES } from "./images/namespace.js";
import { OBJECT_IMAGES } from "./images/object.js";
import { SET_IMAGES } from "./images/set.js";
import { SPLIT_FILE_IMAGES } from "./images/split-files.js";
import { TASK_IMAGES } from "./images/task.js";

/**
 * Every image kind of CRIU; adding one is one row. Files are named by the pattern: %u a decimal id, %x a hexadecimal
 * one, %s a word. Of kinds that share a magic the first is taken when the file name does not tell.
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
