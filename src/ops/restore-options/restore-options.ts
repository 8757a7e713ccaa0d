import type { Document } from "../../model/document.js";
import { consentOptions } from "./consent.js";
import { externalOptions } from "./external.js";
import type { RestoreOption } from "./option.js";

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
