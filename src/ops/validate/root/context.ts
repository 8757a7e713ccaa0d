import type { ImageContext, SetContext } from "../context.js";
import type { RootTree } from "./tree.js";

/** What rules about the files on disk look at. */
export interface RootContext {
  readonly image: ImageContext;
  readonly tree: RootTree;
  /** Patterns of files that no descriptor names and that the program expects back. */
  readonly watch: readonly string[];
}

/** The same of a CRIU set. */
export interface SetRootContext extends RootContext {
  readonly image: SetContext;
}
