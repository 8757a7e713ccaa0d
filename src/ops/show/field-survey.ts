import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { Task } from "../../model/checkpoint.js";
import { type AnyValue, fieldMessage, type MessageTable, UNKNOWN } from "../../schema/message.js";

/** What the fields of a set tell about the criu that wrote it. */
export interface FieldSurvey {
  /** The newest release in which one of the fields, or a kind of image, came up, and what that is. */
  readonly since?: { readonly release: string; readonly field: string } | undefined;
  /** Fields that no table of crimg has, as `message field number`. */
  readonly unknown: readonly string[];
}

/** Looks at the fields of all small images and of the first entry of each pagemap. */
export function surveyFields(set: CriuImageSet, tasks: readonly Task[]): FieldSurvey {
  const found = new Map<string, string>();
  const unknown = new Set<string>();
  const visit = (table: MessageTable, value: AnyValue): void => {
    for (const { number } of value[UNKNOWN] ?? []) unknown.add(`${table.name} field ${number}`);
    for (const [name, item] of Object.entries(value)) {
      const field = table.fields[name];
      if (field === undefined || item === undefined) continue;
      const list = field.label === "repeated" ? (item as unknown[]) : [item];
      if (field.since !== undefined && list.length > 0) found.set(`${table.name}.${name}`, field.since);
      const nested = fieldMessage(table, field);
      if (nested !== undefined) for (const each of list) visit(nested, each as AnyValue);
    }
  };
  for (const name of imageNames(set, tasks)) {
    const image = set.imageNamed(name);
    if (image?.kind !== undefined) found.set(name, image.kind.since);
    const isPagemap = image?.kind === IMAGES.PAGEMAP || image?.kind === IMAGES.SHMEM_PAGEMAP;
    for (const { index, table, value } of image?.heldRecords() ?? []) {
      visit(table, value);
      if (isPagemap && index > 0) break;
    }
  }
  const newest = [...found].sort(([, a], [, b]) => compareReleases(b, a))[0];
  return {
    since: newest === undefined ? undefined : { release: newest[1], field: newest[0] },
    unknown: [...unknown].sort(),
  };
}

/** Of leaders alone, since threads repeat what they say. */
function imageNames(set: CriuImageSet, tasks: readonly Task[]): string[] {
  const leaders = new Set(tasks.map(({ pid }) => pid));
  return set.files
    .filter(({ kind, id }) => {
      if (kind?.magic === undefined) return false;
      return kind !== IMAGES.CORE || leaders.has(id as number);
    })
    .map(({ name }) => name);
}

/** Releases as criu tags them, `1.3-rc2` before `1.3`; what is no release yet comes after all. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [releaseParts(a), releaseParts(b)];
  for (let at = 0; at < 4; at++) {
    const order = (left[at] as number) - (right[at] as number);
    if (order !== 0) return order;
  }
  return 0;
}

function releaseParts(release: string): number[] {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-rc(\d+))?$/.exec(release);
  if (match === null) return [Number.MAX_SAFE_INTEGER, 0, 0, 0];
  const [, major, minor, patch = "0", candidate] = match;
  return [Number(major), Number(minor), Number(patch), candidate === undefined ? 1000 : Number(candidate)];
}
