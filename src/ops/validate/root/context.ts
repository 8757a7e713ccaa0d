import type { SetContext } from "../context.js";
import type { RootTree } from "./tree.js";

/** What rules about the files on disk look at. */
export interface RootContext {
  readonly set: SetContext;
  readonly tree: RootTree;
  /** Patterns of files that no descriptor names and that the program expects back. */
  readonly watch: readonly string[];
}
