import { pageSizeOf } from "../../formats/criu/pages-size.js";
import { isCrimgError } from "../../io/errors.js";
import type { SetContext } from "./context.js";

/** Bytes of a page; the architecture's usual size where the images are too damaged to tell. */
export function pageSize({ set, checkpoint }: SetContext): number {
  try {
    return pageSizeOf(set);
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return checkpoint.pageSize;
  }
}
