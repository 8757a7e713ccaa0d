import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { StreamBuilder } from "../../../helpers/build-stream.js";
import { suite } from "../../../helpers/suite.js";
import { walkStream } from "../../../helpers/walk-stream.js";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/linux-cr/", import.meta.url));
const MINIMAL = readFileSync(`${FIXTURES}minimal.ckpt`);
const X86_64 = { commit: "5c3471a", arch: ARCHITECTURES.X86_64 } as const;
const test = suite("linux-cr: stream");

function open(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

function framing(image: LinuxCrImage): { offset: number; id: number | undefined; size: number }[] {
  return Array.from({ length: image.length }, (_, i) => ({ ...image.range(i), id: image.id(i) }));
}

test("the minimal image has the records that its map lists", () => {
  const image = open(MINIMAL);
  const rows = readFileSync(`${FIXTURES}minimal.map`, "utf8").trim().split("\n").slice(1);
  const expected = rows.map((row) =>
    row
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "id" && word !== "len"),
  );
  assert.is(expected.length, 74);
  const found = Array.from({ length: image.length }, (_, i) => [
    String(image.range(i).offset),
    image.kind(i)?.name,
    String(image.id(i)),
    String(image.range(i).size),
  ]);
  assert.equal(found, expected);
  assert.equal(image.ending, { kind: "tail", offset: 18228, rest: 0, error: undefined });
});

test("an independent walk finds the same records", () => {
  const { records, end } = walkStream(MINIMAL);
  assert.equal(framing(open(MINIMAL)), records);
  assert.is(end, MINIMAL.length);
});

test("the revision of the minimal image is told from its records", () => {
  const { revision } = open(MINIMAL);
  assert.equal(
    revision.candidates.map(({ commit, arch }) => `${commit} ${arch.name}`),
    ["1fd8e6e x86_64", "5c3471a x86_64"],
  );
  assert.equal(revision.doubts, []);
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    test(`a head of ${commit} on ${arch} is read as one, with the same layouts`, () => {
      const dialect = { commit, arch: ARCHITECTURES[arch] };
      const bytes = new StreamBuilder(dialect)
        .head([[7, 0, 7, 7, 7]])
        .add(RECORDS.TASK)
        .tail().bytes;
      const image = open(bytes);
      assert.is(image.dialect.arch, dialect.arch);
      assert.ok(
        image.revision.candidates.some((candidate) => candidate.commit === commit),
        image.revision.candidates.map((candidate) => candidate.commit).join(" "),
      );
      assert.equal(image.revision.doubts, []);
      assert.is(image.ending.kind, "tail");
      for (let i = 0; i < image.length; i++) {
        const kind = image.kind(i);
        assert.ok(kind, `record ${i}`);
        image.fields(i);
      }
      assert.equal(framing(image), walkStream(bytes).records);
    });

test("every truncation opens up to where it ends, or is refused when nothing is whole", () => {
  const whole = walkStream(MINIMAL).records;
  for (let size = 0; size < MINIMAL.length; size++) {
    const cut = MINIMAL.subarray(0, size);
    if (size < 72) {
      assert.throws(() => open(cut), isCrimgError);
      continue;
    }
    const { length, ending } = open(cut);
    const readable = whole.filter(({ offset, size: bytes }) => offset + bytes <= size);
    assert.is(length, readable.length);
    const last = readable.at(-1);
    assert.is(ending.offset, (last?.offset ?? 0) + (last?.size ?? 0));
    assert.is(ending.rest, size - ending.offset);
    assert.is(ending.kind, ending.rest === 0 ? "no tail" : "truncated");
    assert.is(ending.error?.offset, ending.offset);
    assert.is(ending.error?.path, `[${length}]`);
  }
});

test("bytes after TAIL and unknown records are kept apart", () => {
  const unknown = Buffer.from("39050000140000004142434445464748494a4b4c", "hex");
  const tail = MINIMAL.length - 16;
  const bytes = Buffer.concat([
    MINIMAL.subarray(0, tail),
    unknown,
    MINIMAL.subarray(tail),
    Buffer.from("more"),
  ]);
  const image = open(bytes);
  assert.equal(image.ending, { kind: "tail", offset: bytes.length - 4, rest: 4, error: undefined });
  assert.is(image.kind(73), undefined);
  assert.is(image.bytes(73).toString(), "ABCDEFGHIJKL");
  assert.equal(image.revision.doubts, []);
});

test("a length below 8 and one beyond the end stop the walk with the offset", () => {
  const short = Buffer.from(MINIMAL);
  short.writeUInt32LE(7, 72 + 4);
  assert.is(open(short).ending.kind, "damaged");
  assert.match(
    open(short).ending.error?.message ?? "",
    /invalid length 7 of a record with id 4 .*in \[1\], at offset 0x48/,
  );
  const long = Buffer.from(MINIMAL);
  long.writeUInt32LE(0xffffffff, 72 + 4);
  assert.is(open(long).ending.kind, "truncated");
  assert.is(open(long).ending.rest, MINIMAL.length - 72);
});

for (const pageSize of [4096, 65536])
  test(`the page of ${pageSize} bytes behind a SOCKET_FRAG is no record`, () => {
    const page = Buffer.alloc(pageSize, 0xee);
    const bytes = new StreamBuilder({ ...X86_64, commit: "82822cf" })
      .head([[7, 0, 7, 7, 7]])
      .add(RECORDS.SOCKET_FRAG, { size: 4096 })
      .raw(page)
      .tail().bytes;
    const image = open(bytes);
    assert.is(image.ending.kind, "tail");
    const frag = image.length - 2;
    assert.is(image.kind(frag), RECORDS.SOCKET_FRAG);
    const { offset, size } = image.range(frag);
    assert.equal(image.rawPage(frag), { offset: offset + size, size: pageSize });
    assert.equal(framing(image), walkStream(bytes, pageSize).records);
    assert.is(open(bytes.subarray(0, offset + size + 4095)).ending.kind, "truncated");
  });

test("what is no stream is refused", () => {
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(100), Buffer.from("\u007fELF and so on")])
    assert.throws(() => open(bytes), /not a linux-cr stream/);
});

test.run();
