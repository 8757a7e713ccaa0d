import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../../src/formats/linux-cr/image.js";
import { type Part, parseImage } from "../../../../../src/formats/linux-cr/parse.js";
import type { RecordKind, RecordValue } from "../../../../../src/formats/linux-cr/record-kind.js";
import type { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../../../src/io/source.js";
import { SplicedSource } from "../../../../../src/io/splice.js";
import type { Checkpoint } from "../../../../../src/model/checkpoint.js";
import type { Policy } from "../../../../../src/model/policy.js";
import { openStream } from "../../../../../src/open.js";
import type { Plan, PlanOptions } from "../../../../../src/ops/edit/plan.js";
import { planEdits } from "../../../../../src/ops/edit/plan-edits.js";
import { convertedFixture } from "../../../../helpers/converted-stream.js";
import { richStream } from "../../../../helpers/rich-stream.js";
import { walkStream } from "../../../../helpers/walk-stream.js";
import { edits } from "../planned.js";

const NAME = "app.ckpt";

/** A stream after edits, and what was planned. */
export interface PlannedStream {
  readonly plan: Plan;
  readonly before: Buffer;
  readonly after: Buffer;
  readonly image: LinuxCrImage;
  readonly checkpoint: Checkpoint;
  readonly objects: ReadonlyMap<number, Part>;
  /** Changes as `field: old -> new` behind the kind of record, values as JSON unless they are text. */
  readonly changes: readonly string[];
  /** The fields of all records of a kind. */
  all<K extends RecordKind>(kind: K): RecordValue<K>[];
  /** The texts of all records of a kind. */
  texts(kind: (typeof RECORDS)[keyof typeof RECORDS]): string[];
}

/** The stream that a fixture is converted into, or the one with every kind of record of the header files (`rich`). */
export function streamBytes(name: string): Buffer {
  if (name !== "rich") return convertedFixture(name).bytes;
  return richStream({ commit: "5c3471a", arch: ARCHITECTURES.X86_64 }, { dialectRecords: true });
}

/** Plans edits, given as `kind text`, of a stream by its name or bytes; the result must hold together by itself. */
export function plannedStream(
  stream: string | Buffer,
  given: readonly string[],
  options: PlanOptions = {},
  policies: readonly Policy[] = [],
): PlannedStream {
  const before = typeof stream === "string" ? streamBytes(stream) : stream;
  const plan = planEdits(openStream(new MemorySource(before, NAME)), edits(...given), options, policies);
  const spliced = new SplicedSource(new MemorySource(before, NAME), [...plan.splices.values()].flat());
  const after = spliced.read(0, spliced.size);
  const image = new LinuxCrImage(new MemorySource(after, NAME));
  const { problem, objects } = parseImage(image);
  assert.is(problem, undefined);
  assertFraming(before, after, plan);
  const indexes = (kind: RecordKind): number[] =>
    Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === kind);
  return {
    plan,
    before,
    after,
    image,
    objects,
    checkpoint: openStream(new MemorySource(after, NAME)).checkpoint,
    changes: plan.changes.map(
      ({ record, field, before: old, after: fresh }) =>
        `${new LinuxCrImage(new MemorySource(before, NAME)).label(record ?? 0)}.${field}: ${text(old)} -> ${text(fresh)}`,
    ),
    all: (kind) => indexes(kind).map((i) => image.value(i, kind)),
    texts: (kind) => indexes(kind).map((i) => image.text(i)),
  };
}

/**
 * By a walk of its own: the framing leads to the very end, and every record that no change names is still there with its
 * bytes (but for one whose count of the record behind it follows that).
 */
export function assertFraming(before: Buffer, after: Buffer, plan: Plan): void {
  const [old, fresh] = [walkStream(before), walkStream(after)];
  assert.is(fresh.end, after.length - (before.length - old.end), "the framing leads to the end");
  const named = new Set(plan.changes.map(({ record }) => record));
  const kept = new Map<string, number>();
  for (const { offset, size } of fresh.records)
    count(kept, after.toString("latin1", offset, offset + size), 1);
  for (const [i, { offset, size }] of old.records.entries()) {
    if (named.has(i) || named.has(i + 1)) continue;
    const bytes = before.toString("latin1", offset, offset + size);
    assert.ok(count(kept, bytes, -1) >= 0, `record ${i}, which no change names, is not there any more`);
  }
}

function count(map: Map<string, number>, key: string, by: number): number {
  const value = (map.get(key) ?? 0) + by;
  map.set(key, value);
  return value;
}

function text(value: unknown): string {
  if (value === undefined) return "absent";
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item));
}
