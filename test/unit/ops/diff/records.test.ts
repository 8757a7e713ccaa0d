import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { ImageRecord } from "../../../../src/formats/criu/image.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import type { Document } from "../../../../src/model/document.js";
import { openFileSet } from "../../../../src/open.js";
import { diffCheckpoints } from "../../../../src/ops/diff/diff.js";
import { isLeftOut, LEFT_OUT } from "../../../../src/ops/diff/record-fields.js";
import { SECTIONS } from "../../../../src/ops/diff/section.js";
import { type AnyValue, fieldMessage, type MessageTable } from "../../../../src/schema/message.js";
import { type FieldPath, patchMessage } from "../../../../src/schema/patch.js";
import { memoryFiles } from "../../../helpers/build-set.js";
import { FIXTURE_NAMES, fixture } from "../../../helpers/images.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops/diff: every field of every record", {}, 180);
/** No page of memory is changed here. */
const RECORDS = SECTIONS.filter((name) => name !== "memory" && name !== "env");
/** Of each field so many are changed in a fixture. */
const TIMES = 3;

interface Leaf {
  /** `reg_file_entry.pos` */
  readonly field: string;
  readonly isLeftOut: boolean;
  readonly path: FieldPath;
  readonly value: unknown;
}

/** The fields of a record that hold a value, of lists the first two items. */
function* leavesOf(table: MessageTable, value: AnyValue, path: FieldPath): Generator<Leaf> {
  for (const [name, field] of Object.entries(table.fields)) {
    const stored = value[name];
    if (stored === undefined) continue;
    const nested = fieldMessage(table, field);
    const items = Array.isArray(stored)
      ? stored.map((item: unknown, i) => [item, [...path, name, i]] as const)
      : [[stored, [...path, name]] as const];
    for (const [item, at] of items.slice(0, 2))
      if (nested !== undefined) yield* leavesOf(nested, item as AnyValue, at);
      else
        yield {
          field: `${table.name}.${name}`,
          isLeftOut: isLeftOut(table.name, name),
          path: at,
          value: item,
        };
  }
}

function otherValue(value: unknown): unknown {
  if (typeof value === "bigint") return value ^ 1n;
  if (typeof value === "number") return value % 2 === 0 ? value + 1 : value - 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return `${value}x`;
  if (Buffer.isBuffer(value)) return Buffer.concat([value, Buffer.of(1)]);
  throw new Error(`no other value for ${String(value)}`);
}

function isDifferent(files: ReadonlyMap<string, Buffer>, name: string, bytes: Buffer): boolean {
  const changed = openFileSet(memoryFiles(new Map([...files, [name, bytes]])));
  try {
    const { differences } = diffCheckpoints(openFileSet(memoryFiles(files)), changed, { only: RECORDS });
    return differences.length > 0;
  } catch (error) {
    // A value that no image may have is told as an error.
    if (!isCrimgError(error)) throw error;
    return true;
  }
}

/** The image with one field changed. */
function patched(old: Buffer, record: ImageRecord, { path, value }: Leaf): Buffer {
  const message = old.subarray(record.offset, record.offset + record.size);
  const fresh = patchMessage(record.table, message, [{ path, value: otherValue(value) }]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(fresh.length);
  const rest = old.subarray(record.offset + record.size);
  return Buffer.concat([old.subarray(0, record.offset - 4), size, fresh, rest]);
}

function filesOf(name: string): Map<string, Buffer> {
  const directory = fixture(name);
  return new Map(readdirSync(directory).map((each) => [each, readFileSync(join(directory, each))]));
}

const seenAll = new Set<string>();

for (const name of FIXTURE_NAMES)
  test(`${name}: a changed field is a difference, unless it is left out for a reason`, () => {
    const files = filesOf(name);
    const document: Document = openFileSet(memoryFiles(files));
    const seen = new Map<string, number>();
    const unseen = new Set<string>();
    for (const { name: image, kind } of document.set.files) {
      if (kind?.magic === undefined) continue;
      for (const record of document.set.imageNamed(image)?.records() ?? [])
        for (const leaf of leavesOf(record.table, record.value, [])) {
          const key = `${kind.name} ${leaf.field}`;
          const count = seen.get(key) ?? 0;
          if (leaf.isLeftOut || count >= TIMES) continue;
          seen.set(key, count + 1);
          if (!isDifferent(files, image, patched(files.get(image) as Buffer, record, leaf)))
            unseen.add(`${image}[${record.index}] ${leaf.field}`);
        }
    }
    for (const key of seen.keys()) seenAll.add(key);
    assert.equal([...unseen], []);
    assert.ok(seen.size > 50);
  });

test("what is left out has a reason, and is no field that any table lacks a name for", () => {
  assert.ok(seenAll.size > 300, `${seenAll.size}`);
  for (const { why, fields } of LEFT_OUT)
    assert.ok(why.length > 20 && Object.values(fields).every((names) => /^(\*|\w+( \w+)*)$/.test(names)));
});

test("core images of two machines: mtype is told", () => {
  const files = filesOf("logger");
  const document = openFileSet(memoryFiles(files));
  const [record] = document.set.imageNamed("core-1000.img")?.records() ?? [];
  if (record === undefined) throw new Error("no record");
  const leaf = [...leavesOf(record.table, record.value, [])].find(
    ({ field }) => field === "core_entry.mtype",
  );
  if (leaf === undefined) throw new Error("no mtype");
  const changed = new Map([
    ...files,
    ["core-1000.img", patched(files.get("core-1000.img") as Buffer, record, leaf)],
  ]);
  const { differences } = diffCheckpoints(document, openFileSet(memoryFiles(changed)));
  assert.equal(
    differences.map(({ section, label, changes }) => [section, label, changes.map(({ field }) => field)]),
    [["records", "core-1000.img[0]", ["mtype"]]],
  );
});

test.run();
