import type { Document } from "../../model/document.js";
import { consentOptions } from "./consent.js";
import { externalOptions } from "./external.js";

/** An option of `criu restore` that a set needs, and why. */
export interface RestoreOption {
  /** With its dashes. */
  readonly option: string;
  /** The word behind the option; criu takes it as a word of its own for all options named here. */
  readonly value?: string;
  /** The words in capitals of `value` stand for what only a person can fill in. */
  readonly open?: true;
  /** One clause. */
  readonly reason: string;
  /** What asks for it, at most ten: a descriptor, a mount, a task. Text as it stands in the image. */
  readonly objects: readonly string[];
  /** The image that says so. */
  readonly from: string;
}

/**
 * The options without which criu refuses the set or restores less than it holds, complete as they stand.
 * Errors: FormatError for a set that is too damaged for the model.
 */
export function restoreOptions(document: Document): RestoreOption[] {
  return [...consentOptions(document), ...externalOptions(document)].filter(({ open }) => open !== true);
}

/** Options that the set asks for and that only a person can complete. Errors: as `restoreOptions`. */
export function openRestoreOptions(document: Document): RestoreOption[] {
  return [...consentOptions(document), ...externalOptions(document)].filter(({ open }) => open === true);
}
