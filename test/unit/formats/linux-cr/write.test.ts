import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import {
  editSplices,
  encodeRecord,
  type RecordEdit,
  textPayload,
} from "../../../../src/formats/linux-cr/write.js";
import { MemorySource } from "../../../../src/io/source.js";
import { SplicedSource } from "../../../../src/io/splice.js";
import type { StructValue } from "../../../../src/schema/struct.js";
import { writeStruct } from "../../../../src/schema/struct-writer.js";
import { StreamBuilder } from "../../../helpers/build-stream.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const MINIMAL = readFileSync(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const test = suite("linux-cr: writing");

function open(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

function edited(bytes: Buffer, edits: readonly (readonly [number, RecordEdit])[]): Buffer {
  const image = open(bytes);
  const source = new SplicedSource(image.source, editSplices(image, new Map(edits)));
  return source.read(0, source.size);
}

test("every record of the minimal image is written as it was read, padding included", () => {
  const image = open(MINIMAL);
  for (let i = 0; i < image.length; i++) {
    const { offset, size } = image.range(i);
    const table = image.layout(i);
    const head = MINIMAL.subarray(offset, offset + Math.min(size, table?.size ?? 8));
    if (table !== undefined) {
      const again = writeStruct(table, image.fields(i) as StructValue<typeof table>, image.byteOrder, head);
      assert.equal(again, head, `record ${i}`);
    }
    const kind = image.kind(i);
    assert.ok(kind);
    const fresh = encodeRecord(kind, image.dialect, image.byteOrder, image.fields(i), image.bytes(i));
    assert.equal(fresh, MINIMAL.subarray(offset, offset + size), `${kind.name}, record ${i}`);
  }
});

test("no edit, and an edit to the same value, changes no byte", () => {
  const image = open(MINIMAL);
  const same = new Map([[12, { fields: image.fields(12) }]]);
  assert.equal(editSplices(image, same), []);
  assert.equal(edited(MINIMAL, []), MINIMAL);
});

test("a longer path mends the length of its record and nothing else", () => {
  const image = open(MINIMAL);
  const index = Array.from({ length: image.length }, (_, i) => i).find(
    (i) => image.kind(i) === RECORDS.FILE_NAME,
  ) as number;
  const { offset, size } = image.range(index);
  const text = "/a/much/longer/path/than/it/had/before/é";
  const out = edited(MINIMAL, [[index, { payload: textPayload(RECORDS.FILE_NAME, text) }]]);
  const grown = Buffer.byteLength(text) + 1 + 8 - size;
  assert.ok(grown > 0);
  assert.is(out.length, MINIMAL.length + grown);
  assert.equal(out.subarray(0, offset + 4), MINIMAL.subarray(0, offset + 4));
  assert.is(out.readUInt32LE(offset + 4), size + grown);
  assert.equal(out.subarray(offset + size + grown), MINIMAL.subarray(offset + size));
  assert.is(open(out).text(index), text);
  assert.is(walkStream(out).end, out.length);
});

test("a field keeps the bytes around it", () => {
  const out = edited(MINIMAL, [[12, { fields: { exit_signal: 0x01020304 } }]]);
  const expected = Buffer.from(MINIMAL);
  expected.writeUInt32LE(0x01020304, 435 + 24);
  assert.equal(out, expected);
});

test("numbers that count a payload follow it", () => {
  const dialect = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
  const bytes = new StreamBuilder(dialect)
    .head([[7, 0, 7, 7, 7]])
    .add(RECORDS.GROUPINFO, {}, Buffer.alloc(8))
    .add(RECORDS.SIGPENDING, {}, Buffer.alloc(88))
    .add(RECORDS.TTY_LDISC, { datalen: 3 })
    .buffer(Buffer.from("abc"))
    .tail().bytes;
  const at = open(bytes).length - 5;
  assert.is(open(bytes).value(at, RECORDS.GROUPINFO).ngroups, 2);
  assert.is(open(bytes).value(at + 1, RECORDS.SIGPENDING).nr_pending, 1);
  const image = open(
    edited(bytes, [
      [at, { payload: Buffer.alloc(12, 1) }],
      [at + 1, { payload: Buffer.alloc(0) }],
      [at + 3, { payload: Buffer.from("abcdefg") }],
    ]),
  );
  assert.is(image.value(at, RECORDS.GROUPINFO).ngroups, 3);
  assert.is(image.range(at).size, 16 + 12);
  assert.equal(image.numbers(at), [0x01010101, 0x01010101, 0x01010101]);
  assert.is(image.value(at + 1, RECORDS.SIGPENDING).nr_pending, 0);
  assert.is(image.value(at + 2, RECORDS.TTY_LDISC).datalen, 7);
  assert.is(image.bytes(at + 3).toString(), "abcdefg");
  assert.is(image.ending.kind, "tail");
});

test("what does not fit is refused", () => {
  assert.throws(() => textPayload(RECORDS.FILE_NAME, "a\0b"), /NUL/);
  assert.throws(() => textPayload(RECORDS.FILE_NAME, "x".repeat(4096)), /at most 4095/);
  assert.throws(() => edited(MINIMAL, [[12, { payload: Buffer.alloc(1) }]]), /TASK has no payload/);
  assert.throws(() => edited(MINIMAL, [[1, { fields: { x: 1 } }]]), /BUFFER has no fields/);
  assert.throws(() => edited(MINIMAL, [[12, { fields: { exit_signal: 2 ** 32 } }]]), /exit_signal/);
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`every record of ${commit} on ${arch}: fields are read back as they were written`, () => {
      const dialect = { commit, arch: ARCHITECTURES[arch] };
      const builder = new StreamBuilder(dialect).head([[7, 0, 7, 7, 7]]);
      const first = walkStream(builder.bytes).records.length;
      const written: Readonly<Record<string, unknown>>[] = [];
      const fileTypes = [1, 2, 3, 4, 5, 7];
      for (const kind of Object.values(RECORDS)) {
        if (!kind.ids.some(([id, since]) => id !== undefined && builder.since(since))) continue;
        if (["TAIL", "SOCKET_FRAG", "HEADER"].includes(kind.name)) continue;
        if (kind.name === "VPIDS" && commit !== "c83f38b" && commit !== "78d18cf") continue;
        for (const fileType of kind === RECORDS.FILE ? fileTypes : [0]) {
          const fields = kind === RECORDS.FILE ? { f_type: fileType, f_flags: 0x8000 } : {};
          builder.add(kind, fields);
          written.push(fields);
        }
      }
      const image = open(builder.tail().bytes);
      assert.is(image.ending.kind, "tail");
      assert.is(image.length, first + written.length + 1);
      for (const [i, fields] of written.entries()) {
        const read = image.fields(first + i);
        for (const [name, value] of Object.entries(fields)) assert.is(read[name], value);
        const { offset, size } = image.range(first + i);
        const kind = image.kind(first + i);
        assert.ok(kind);
        const again = encodeRecord(kind, dialect, image.byteOrder, read, image.bytes(first + i), size);
        assert.equal(again, image.source.read(offset, size), kind.name);
      }
    });

test.run();
