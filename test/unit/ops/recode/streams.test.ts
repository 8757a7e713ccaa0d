import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../../src/io/source.js";
import { type DecodeStreamOptions, decodeStream } from "../../../../src/ops/recode/decode-stream.js";
import {
  type EncodeStreamOptions,
  encodeStream,
  isStreamJson,
} from "../../../../src/ops/recode/encode-stream.js";
import { StreamBuilder } from "../../../helpers/build-stream.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";

const MINIMAL = readFileSync(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url));
const NEWEST = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const test = suite("linux-cr: JSON");

interface Shown {
  readonly record: string | number;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

interface Shape {
  records: Shown[];
  [key: string]: unknown;
}

function decoded(bytes: Buffer, options?: DecodeStreamOptions): string {
  return [...decodeStream(new LinuxCrImage(new MemorySource(bytes, "test.ckpt")), options)].join("");
}

function parsed(bytes: Buffer, options?: DecodeStreamOptions): Shape {
  return JSON.parse(decoded(bytes, options)) as Shape;
}

function encoded(document: string | object, options?: EncodeStreamOptions): Buffer {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return Buffer.concat([...encodeStream(text, options)]);
}

/** Both ways there are to write it come back to the byte, and are the JSON of a stream. */
function comesBack(bytes: Buffer, what: string): void {
  for (const pretty of [false, true]) {
    const json = decoded(bytes, { pretty });
    JSON.parse(json);
    assert.match(json, /^[\x20-\x7e\n]*$/);
    assert.ok(isStreamJson(json));
    assertBytes(encoded(json), bytes, what);
  }
}

const named = (document: Shape, name: string): Shown => {
  const found = document.records.find(({ record }) => record === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

test("the minimal image comes back to the byte", () => {
  comesBack(MINIMAL, "minimal.ckpt");
  const document = parsed(MINIMAL);
  const { format, byteOrder, revision, architecture, records, ...others } = document;
  assert.equal(
    [format, byteOrder, revision, architecture, records.length, others],
    ["linux-cr/1", "little-endian", "5c3471a", "x86_64", 74, {}],
  );
  assert.equal(named(document, "FILE_NAME"), { record: "FILE_NAME", text: "/tmp/minimal.log" });
  assert.equal(named(document, "PGARR"), { record: "PGARR", fields: { nr_pages: 0 } });
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`a rich image of ${commit} on ${arch} comes back to the byte`, () => {
      for (const v18 of [false, true])
        comesBack(
          richStream({ commit, arch: ARCHITECTURES[arch] }, { v18, dialectRecords: true }),
          `${commit} ${arch}`,
        );
    });

test("every truncation comes back to the byte", () => {
  for (let size = 72; size < MINIMAL.length; size += size < 4000 ? 1 : 97) {
    const bytes = MINIMAL.subarray(0, size);
    assertBytes(encoded(decoded(bytes)), bytes, `the first ${size} bytes`);
  }
});

test("unknown records, padding that is not zero, odd texts and bytes behind the end are kept", () => {
  const odd = new StreamBuilder(NEWEST)
    .head([[7, 0, 7, 7, 7]])
    .raw(Buffer.from("39050000140000004142434445464748494a4b4c", "hex"))
    .add(RECORDS.STRING, {}, Buffer.from("no NUL"))
    .add(RECORDS.STRING, {}, Buffer.from("\0in between\0and\0\0\0"))
    .add(RECORDS.STRING, {}, Buffer.from([0x2f, 0xff, 0xfe, 0]))
    .add(RECORDS.STRING)
    .add(RECORDS.ERROR)
    .raw(Buffer.concat([Buffer.from("5c0200004a000000", "hex"), Buffer.alloc(66, 1)]))
    .add(RECORDS.GROUPINFO, {}, Buffer.from([1, 0, 0, 0]))
    .tail().bytes;
  const groups = odd.length - 16 - 4;
  odd[groups] = 9;
  odd[27] = 1;
  const bytes = Buffer.concat([odd, Buffer.from("behind the end")]);
  comesBack(bytes, "odd");
  const { records, _rest } = parsed(bytes);
  const shown = records.slice(-9, -1);
  assert.is(Buffer.from(_rest as string, "base64").toString(), "behind the end");
  assert.equal(shown[0], { record: 0x539, data: "QUJDREVGR0hJSktM" });
  assert.equal(shown[1], { record: "STRING", text: "no NUL", textBytes: 6 });
  assert.equal(shown[2], { record: "STRING", text: "\0in between\0and", textBytes: 18 });
  assert.equal(shown[3], { record: "STRING", text: "/\udcff\udcfe" });
  assert.equal(shown[4], { record: "STRING" });
  assert.ok(shown[6]?.data !== undefined);
  assert.is(shown[7]?._padding, "CQAAAA==");
  assert.ok(records[0]?._wire !== undefined);
});

test("an edited field changes alone, and its padding stays", () => {
  const bytes = Buffer.from(MINIMAL);
  bytes[27] = 0xaa;
  const document = parsed(bytes);
  const { fields } = document.records[0] as { fields: Record<string, unknown> };
  fields.time = "1234567890";
  const expected = Buffer.from(bytes);
  expected.writeBigUInt64LE(1234567890n, 56);
  assertBytes(encoded(document), expected, "edited");
});

test("a longer path and more groups: lengths are counted anew, counts when they are left out", () => {
  const document = parsed(MINIMAL);
  const path = named(document, "FILE_NAME") as unknown as { text: string };
  path.text = "/a/longer/path/with/ümlaut";
  const groups = named(document, "GROUPINFO") as unknown as { fields: object; values: number[] };
  groups.fields = {};
  groups.values = [1, 2, 3];
  const image = new LinuxCrImage(new MemorySource(encoded(document), "again"));
  assert.is(image.ending.kind, "tail");
  const all = Array.from({ length: image.length }, (_, i) => i);
  const name = all.find((i) => image.kind(i) === RECORDS.FILE_NAME) as number;
  assert.is(image.text(name), "/a/longer/path/with/ümlaut");
  const info = all.find((i) => image.kind(i) === RECORDS.GROUPINFO) as number;
  assert.equal([image.value(info, RECORDS.GROUPINFO).ngroups, image.numbers(info)], [3, [1, 2, 3]]);
});

test("pages: their addresses beside them, left in the image, or told by their size", () => {
  const at = (options?: DecodeStreamOptions): Shown =>
    parsed(MINIMAL, options).records.find(({ addresses }) => addresses !== undefined) as Shown;
  const { addresses, pages } = at();
  assert.equal(addresses, ["0x600000", "0x602000"]);
  assert.equal(
    (pages as string[]).map((page) => Buffer.from(page, "base64").length),
    [4096, 4096],
  );
  const { offset, size } = at({ leavePages: true }).pages as { offset: number; size: number };
  const page = Buffer.from((pages as string[])[1] as string, "base64");
  assert.is(size, 8192);
  assertBytes(MINIMAL.subarray(offset + 4096, offset + 8192), page, "page");
  const pagesFrom = new MemorySource(MINIMAL, "minimal.ckpt");
  assertBytes(encoded(decoded(MINIMAL, { leavePages: true }), { pagesFrom }), MINIMAL, "copied");
  assert.throws(() => encoded(decoded(MINIMAL, { leavePages: true })), /use --pages-from/);
  assert.is(at({ noPayload: true }).pages, "... <8KB>");
  assert.throws(() => encoded(decoded(MINIMAL, { noPayload: true })), /invalid base64 \(in \[1\]\.data\)/);
});

test("numbers are read in any spelling, keys in any order", () => {
  const document = parsed(MINIMAL);
  const { fields } = document.records[0] as { fields: Record<string, unknown> };
  fields.magic = "0x00feed0cc0a2d200";
  fields.rev = "0b110";
  const sorted = JSON.stringify(Object.fromEntries(Object.entries(document).reverse()));
  assertBytes(encoded(sorted), MINIMAL, "reversed");
});

const REFUSED: readonly [what: string, change: (document: Shape) => void, message: RegExp][] = [
  ["no format", (d) => delete d.format, /missing key "format"/],
  [
    "another version",
    (d) => (d.format = "linux-cr/2"),
    /invalid format "linux-cr\/2" \(expected linux-cr\/1\)/,
  ],
  [
    "an unknown machine",
    (d) => (d.architecture = "vax"),
    /invalid architecture "vax" \(expected i686, x86_64/,
  ],
  ["no records", (d) => Reflect.deleteProperty(d, "records"), /missing key "records"/],
  ["another key", (d) => (d.more = 1), /unknown key "more" of the stream/],
  [
    "another record",
    (d) => (d.records[3] = { record: "VAM" }),
    /invalid record: "VAM" .*\(in \[3\]\.record\)/,
  ],
  [
    "a record that is none",
    (d) => (d.records[3] = 7 as never),
    /a number \(expected a record\) \(in \[3\]\)/,
  ],
  ["a name not of these headers", (d) => (d.records[3] = { record: "VPIDS" }), /5c3471a has no record VPIDS/],
  ["a key of no record", (d) => (d.records[3] = { record: 7, x: 1 }), /unknown key "x"/],
  [
    "a field that is none",
    (d) => (d.records[0] = { record: "HEADER", fields: { x: 1 } }),
    /unknown field "x" of HEADER \(expected magic, .* \(in \[0\]\.x\)/,
  ],
  [
    "a number too large",
    (d) => (d.records[0] = { record: "HEADER", fields: { constants: { task_comm_len: 65536 } } }),
    /invalid value 65536 \(expected an integer from 0 to 65535\) \(in \[0\]\.constants\.task_comm_len\)/,
  ],
  [
    "a text for a number",
    (d) => (d.records[0] = { record: "HEADER", fields: { rev: "six" } }),
    /not an integer: "six"/,
  ],
  [
    "two payloads",
    (d) => (d.records[1] = { record: "BUFFER", data: "", text: "" }),
    /conflicting keys (data and text|text and data) .*\(in \[1\]\)/,
  ],
  [
    "a text that is too long for its bytes",
    (d) => (d.records[1] = { record: "STRING", text: "abc", textBytes: 2 }),
    /invalid textBytes 2 /,
  ],
  [
    "a text that says 4 GiB",
    (d) => (d.records[1] = { record: "STRING", text: "abc", textBytes: 0xffff_ffff }),
    /invalid textBytes 4294967295 \(.* to 67108864/,
  ],
  [
    "a text that says more than a record has",
    (d) => (d.records[1] = { record: "STRING", text: "abc", textBytes: 2 ** 26 + 1 }),
    /invalid textBytes 67108865 \(.* to 67108864/,
  ],
  [
    "a lone surrogate",
    (d) => (d.records[1] = { record: "STRING", text: "\ud800" }),
    /U\+D800.*\(in \[1\]\.text\)/,
  ],
  ["fields of an unknown record", (d) => (d.records[1] = { record: 77, fields: { x: 1 } }), /no fields/],
  ["no base64", (d) => (d._rest = "{}"), /invalid base64 \(in _rest\)/],
];
for (const [what, change, message] of REFUSED)
  test(`${what} is refused`, () => {
    const document = parsed(MINIMAL);
    change(document);
    assert.throws(
      () => encoded(document),
      (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /^the JSON: /);
        return true;
      },
    );
  });

test("with lax, unknown keys are passed by", () => {
  const document = parsed(MINIMAL);
  document.more = 1;
  Object.assign(document.records[0] as object, { x: 1 });
  Object.assign(document.records[0]?.fields as object, { x: 1 });
  assertBytes(encoded(document, { lax: true }), MINIMAL, "lax");
});

test.run();
