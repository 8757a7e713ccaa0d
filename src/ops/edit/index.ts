/** Edits of image sets: plan, check, apply, log, undo. */
export {
  type Applied,
  type ApplyOptions,
  applyPlan,
  type EditTarget,
  type TemporarySet,
  temporarySet,
} from "./apply.js";
export type { CopiedSet } from "./copy-set.js";
export type { EditKind } from "./kind.js";
export { EDIT_KINDS } from "./kinds/index.js";
export { EDIT_LOG, type LogEntry, type LoggedFile, readLog } from "./log.js";
export {
  type Change,
  type Edit,
  editText,
  type Left,
  type Mention,
  type Plan,
  type PlanOptions,
  type RestoreWishes,
} from "./plan.js";
export { planEdits, recipeEdits } from "./plan-edits.js";
export { checkLog, type FileState, type Undone, undoEdits } from "./undo.js";
