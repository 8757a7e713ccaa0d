import type { ToCriu } from "./context.js";

/** All open files with what belongs to them, and the descriptor tables. */
export function convertFiles(_context: ToCriu): void {}
