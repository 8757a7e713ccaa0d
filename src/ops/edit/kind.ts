import type { Editor } from "./editor.js";
import type { Edit } from "./plan.js";

/** One edit with its text read. */
export interface Parsed<A> {
  readonly edit: Edit;
  readonly args: A;
}

/** A kind of edit: one file under kinds/, one row of the list there, a flag of the command and a key of recipes. */
export interface EditKind<A = unknown> {
  /** Name of the flag and of the recipe's key. */
  readonly name: string;
  readonly syntax: string;
  /** One line for the help. */
  readonly summary: string;
  /** What joins key and value of a recipe's mapping to the text of the flag; `=` unless said. */
  readonly joiner?: string;
  /** The text is a secret: it is in no plan, no message and no log, and neither is what the edit changes. */
  readonly isSecret?: true;
  /** Errors: USAGE. */
  parse(text: string): A;
  /** Plans what the edits of this kind change; edits that follow one another are planned together. */
  plan(edits: readonly Parsed<A>[], editor: Editor): void;
  /** What an edit that matched nothing was looking for, as the end of the sentence "nothing matched: …". */
  lookedFor(args: A): string;
}

/** Edits of one kind that follow one another. */
export interface EditGroup {
  readonly kind: EditKind;
  readonly members: readonly Parsed<unknown>[];
}
