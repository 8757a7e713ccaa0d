import { type AnyValue, fieldMessage, type MessageTable } from "../../schema/message.js";
import type { SetContext } from "./context.js";
import { scanImages } from "./scan.js";

/** A stored field that needs a recent criu. */
export interface NewestField {
  /** Release that first wrote it, `3.14`. */
  readonly since: string;
  readonly image: string;
  readonly field: string;
}

/** Images whose first records tell as much as all of them. */
const RECORDS = 64;

/** The field of the set that the most recent criu release has added; undefined when all are as old as their message. */
export function newestField(context: SetContext): NewestField | undefined {
  let newest: NewestField | undefined;
  for (const { name: image, header } of context.share(scanImages)) {
    if (header === undefined) continue;
    let count = 0;
    for (const { table, value } of context.set.streamNamed(image)) {
      for (const { since, field } of versionsIn(table, value))
        if (newest === undefined || rank(since) > rank(newest.since)) newest = { since, image, field };
      if (++count === RECORDS) break;
    }
  }
  return newest;
}

function* versionsIn(
  table: MessageTable,
  value: AnyValue,
): Generator<{ readonly since: string; readonly field: string }> {
  for (const [name, field] of Object.entries(table.fields)) {
    const stored = value[name];
    if (stored === undefined || (Array.isArray(stored) && stored.length === 0)) continue;
    // Development branches have no number to compare.
    if (field.since !== undefined && /^\d/.test(field.since))
      yield { since: field.since, field: `${table.name}.${name}` };
    const nested = fieldMessage(table, field);
    if (nested === undefined) continue;
    for (const item of Array.isArray(stored) ? stored.slice(0, 1) : [stored])
      yield* versionsIn(nested, item as AnyValue);
  }
}

/** Versions in order: major and minor number. */
function rank(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major * 1000 + minor;
}
