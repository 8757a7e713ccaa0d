import { EditError } from "../../io/errors.js";
import { MAX_CHANGES } from "../../io/limits.js";
import type { DueTime } from "./due.js";
import type { NewFile } from "./new-file.js";
import { type Change, type Edit, editText, type Left, type PlanOptions, type RestoreWishes } from "./plan.js";

/** What is put on record while edits of an image of any family are planned. */
export class ChangeLog {
  readonly changes: Change[] = [];
  readonly left: Left[] = [];
  readonly notes = new Set<string>();
  readonly warnings = new Set<string>();
  readonly due: DueTime[] = [];
  readonly restore: RestoreWishes = {};
  /** Files that are written beside the image. */
  readonly newFiles: NewFile[] = [];
  /** Old texts that memory may still hold, by the edit that replaced them. */
  readonly replaced = new Map<string, Edit>();
  readonly #matches = new Map<Edit, number>();
  readonly #made = new Map<string, unknown>();

  constructor(readonly options: PlanOptions) {}

  /** Counts something that an edit was meant for, whether it changes or is so already. */
  matched(edit: Edit): void {
    this.#matches.set(edit, this.matches(edit) + 1);
  }

  matches(edit: Edit): number {
    return this.#matches.get(edit) ?? 0;
  }

  /** Notes what looks alike and stays; of too many the first. */
  leave(edit: Edit, at: Omit<Left, "edit">): void {
    if (this.left.length < MAX_CHANGES) this.left.push({ edit: editText(edit), ...at });
  }

  /** Something that edits of one kind work out once for the image. */
  once<T>(key: string, make: () => T): T {
    if (!this.#made.has(key)) this.#made.set(key, make());
    return this.#made.get(key) as T;
  }

  /** Records a change; the editors change the bytes. Errors: EDIT above MAX_CHANGES. */
  protected log(edit: Edit, change: Omit<Change, "edit">): void {
    if (this.changes.length === MAX_CHANGES)
      throw new EditError(`too many changes (expected at most ${MAX_CHANGES}); make smaller edits`, {
        file: change.image,
      });
    this.changes.push({ edit: editText(edit), ...change });
  }
}
