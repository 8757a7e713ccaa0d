import type { ImageKind } from "../../../formats/criu/image-kind.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { AnyValue } from "../../../schema/message.js";
import type { ImageContext, SetContext } from "../context.js";
import type { Place } from "../finding.js";
import { strays } from "../tasks.js";

/** One stored reference. */
export interface Reference {
  readonly key: bigint;
  readonly at: Place;
  /** The message that holds the field, and the whole record. */
  readonly owner: AnyValue;
  readonly record: AnyValue;
}

export type Source = (context: SetContext) => Iterable<Reference>;

export interface SourceOptions {
  /** Whether the owner's field is a reference at all. */
  readonly when?: (owner: AnyValue, context: SetContext, record: AnyValue) => boolean;
  /** Value that stands for no reference. */
  readonly none?: bigint;
  /** The id in a value that holds more than it. */
  readonly key?: (value: bigint) => bigint;
}

/** A field of all records of an image kind; `path` as in `vmas[].shmid`. */
export function inImage(kind: ImageKind, path: string, options: SourceOptions = {}): Source {
  const steps = stepsOf(path);
  return function* (context) {
    for (const { name, kind: found, id } of context.set.files) {
      if (found !== kind || context.share(strays).has(name)) continue;
      const task = kind.scope === "task" ? id : undefined;
      for (const { value, index } of context.set.recordsNamed(name))
        yield* collect(context, value, steps, { image: name, record: index, pid: task }, options);
    }
  };
}

/** A field of all open files of a type, from files.img or the image of that type in old sets. */
export function inFile(type: string, path: string, options: SourceOptions = {}): Source {
  const steps = stepsOf(path);
  return function* (context) {
    for (const file of context.share(filesByType).get(type) ?? []) {
      const { image, record, field } = file.origin;
      yield* collect(context, file.record as AnyValue, steps, { image, record, field }, options);
    }
  };
}

/** Open files by type. */
export function filesByType({ checkpoint }: ImageContext): ReadonlyMap<string, readonly OpenFile[]> {
  const groups = new Map<string, OpenFile[]>();
  for (const file of checkpoint.files.all) {
    const group = groups.get(file.type);
    if (group === undefined) groups.set(file.type, [file]);
    else group.push(file);
  }
  return groups;
}

/** Path of a source as names; `[]` marks a list. */
export function stepsOf(path: string): readonly string[] {
  return path.split(".");
}

function* collect(
  context: SetContext,
  record: AnyValue,
  steps: readonly string[],
  at: Place,
  options: SourceOptions,
): Generator<Reference> {
  for (const { value, owner, path } of valuesAt(
    record,
    steps,
    0,
    at.field === undefined ? "" : `${at.field}.`,
  )) {
    if (options.when?.(owner, context, record) === false) continue;
    const key = options.key?.(BigInt(value)) ?? BigInt(value);
    if (key !== options.none) yield { key, at: { ...at, field: path }, owner, record };
  }
}

interface Value {
  readonly value: number | bigint;
  readonly owner: AnyValue;
  readonly path: string;
}

function* valuesAt(owner: AnyValue, steps: readonly string[], depth: number, lead: string): Generator<Value> {
  const step = steps[depth] as string;
  const isList = step.endsWith("[]");
  const name = isList ? step.slice(0, -2) : step;
  const stored = owner[name];
  if (stored === undefined) return;
  const values = isList ? (stored as readonly unknown[]) : [stored];
  for (let i = 0; i < values.length; i++) {
    const path = `${lead}${name}${isList ? `[${i}]` : ""}`;
    if (depth === steps.length - 1) yield { value: values[i] as number | bigint, owner, path };
    else yield* valuesAt(values[i] as AnyValue, steps, depth + 1, `${path}.`);
  }
}
