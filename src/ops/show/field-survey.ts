import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { Task } from "../../model/checkpoint.js";
import { type AnyValue, fieldMessage, type MessageTable, UNKNOWN } from "../../schema/message.js";

/** What the fields of a set reveal about the criu that wrote it. */
export interface FieldSurvey {
  /** The newest release that introduced one of the fields or kinds of image, and which. */
  readonly since?: { readonly release: string; readonly field: string } | undefined;
  /** Fields unknown to crimg, as `message field number`. */
  readonly unknown: readonly string[];
}

/** Checks the fields of all small images and of the first entry of each pagemap. */
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

/** Only of leaders, since threads have the same fields. */
function imageNames(set: CriuImageSet, tasks: readonly Task[]): string[] {
  const leaders = new Set(tasks.map(({ pid }) => pid));
  return set.files
    .filter(({ kind, id }) => {
      if (kind?.magic === undefined) return false;
      return kind !== IMAGES.CORE || leaders.has(id as number);
    })
    .map(({ name }) => name);
}

/** Releases as tagged by criu, `1.3-rc2` before `1.3`; unreleased versions come last. */
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
