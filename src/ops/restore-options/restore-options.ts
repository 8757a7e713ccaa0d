import type { Document } from "../../model/document.js";
import { consentOptions } from "./consent.js";
import { externalOptions } from "./external.js";
import type { RestoreOption } from "./option.js";

/**
 * Complete options without which criu fails or restores only part of the set.
 * Errors: FormatError for a set too damaged for the model.
 */
export function restoreOptions(document: Document): RestoreOption[] {
  return [...consentOptions(document), ...externalOptions(document)].filter(({ open }) => open !== true);
}

/** Options that the set needs and the user must complete. Errors: as `restoreOptions`. */
export function openRestoreOptions(document: Document): RestoreOption[] {
  return [...consentOptions(document), ...externalOptions(document)].filter(({ open }) => open === true);
}
