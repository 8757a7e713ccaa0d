import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../src/formats/linux-cr/image.js";
import { parseImage } from "../../src/formats/linux-cr/parse.js";
import { type Dialect, idOf, layoutOf, type RecordKind } from "../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import {
  ARCHITECTURES,
  type ArchFamily,
  archNumbering,
  COMMITS,
  type Commit,
} from "../../src/formats/linux-cr/revisions.js";
import { encodeRecord } from "../../src/formats/linux-cr/write.js";
import { isCrimgError } from "../../src/io/errors.js";
import { MemorySource } from "../../src/io/source.js";
import { dumpStream } from "../../src/ops/dump/dump-stream.js";
import { findInStream } from "../../src/ops/find/find-in-stream.js";
import { matcherOf } from "../../src/ops/find/matcher.js";
import { streamInfo } from "../../src/ops/info/stream-info.js";
import { decodeStream } from "../../src/ops/recode/decode-stream.js";
import { encodeStream } from "../../src/ops/recode/encode-stream.js";
import { DIALECTS, kindsOf, streams, structValues } from "../helpers/arbitrary-stream.js";
import { assertBytes } from "../helpers/bytes.js";
import { holds } from "../helpers/property.js";
import { richStream } from "../helpers/rich-stream.js";
import { suite } from "../helpers/suite.js";
import { walkStream } from "../helpers/walk-stream.js";

const FIXTURES = new URL("../../fixtures/linux-cr/", import.meta.url);
const MINIMAL = readFileSync(new URL("minimal.ckpt", FIXTURES));
const RICH = richStream({ commit: "5c3471a", arch: ARCHITECTURES.X86_64 }, { dialectRecords: true });
const test = suite("property: linux-cr streams", undefined, 240);

function open(bytes: Buffer): LinuxCrImage {
  return new LinuxCrImage(new MemorySource(bytes, "test.ckpt"));
}

function framing(image: LinuxCrImage): { offset: number; id: number | undefined; size: number }[] {
  return Array.from({ length: image.length }, (_, i) => ({ ...image.range(i), id: image.id(i) }));
}

/** The stream through JSON and back, the dump tiling it, the tree or its one error. */
function survives(bytes: Buffer): void {
  const image = open(bytes);
  assertBytes(Buffer.concat([...encodeStream([...decodeStream(image)].join(""))]), bytes, "through JSON");
  let at = 0;
  try {
    for (const { offset, size } of dumpStream(image)) {
      assert.is(offset, at);
      at += size;
    }
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    assert.ok(error.offset !== undefined, error.message);
  }
  assert.is(at, bytes.length);
  const { problem } = parseImage(image);
  if (problem !== undefined) assert.ok(problem.offset !== undefined, problem.message);
  ends(() => [...findInStream(image, matcherOf("a", {}))]);
  ends(() => streamInfo(image));
}

function ends(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isCrimgError(error)) throw error;
  }
}

for (const dialect of DIALECTS)
  test(`any records of ${dialect.commit} on ${dialect.arch.name}: read as an independent walk does, and come back`, () => {
    holds(
      fc.property(streams(dialect), ({ bytes, count }) => {
        const image = open(bytes);
        const walked = walkStream(bytes);
        assert.is(image.length, count);
        assert.equal(framing(image), walked.records);
        assert.is(image.ending.offset, walked.end);
        survives(bytes);
      }),
      { numRuns: 20 },
    );
  });

for (const dialect of DIALECTS)
  test(`every record of ${dialect.commit} on ${dialect.arch.name}: any values are written and read back`, () => {
    for (const kind of kindsOf(dialect))
      for (const fileType of kind === RECORDS.FILE ? [1, 2, 3, 4, 5, 6, 7] : [undefined]) {
        const table = layoutOf(kind, dialect, 0, fileType);
        if (table === undefined) continue;
        holds(
          fc.property(structValues(table), (value) => {
            const fields = fileType === undefined ? value : { ...value, f_type: fileType };
            const { count = "" } = kind;
            const counted = count in table.fields ? { ...fields, [count]: 0 } : fields;
            const record = encodeRecord(kind, dialect, dialect.arch.byteOrder, fields);
            const [found] = walkStream(Buffer.concat([headOf(dialect), record])).records.slice(-1);
            assert.equal([found?.id, found?.size], [idOf(kind, dialect.commit), record.length]);
            const image = imageWith(record, dialect);
            if (image !== undefined) assert.equal(image.fields(image.length - 1), counted);
          }),
          { numRuns: 3 },
        );
      }
  });

/** A HEADER and nothing else, so that the record behind it is the last. */
function headOf(dialect: Dialect): Buffer {
  const arch_id = archNumbering(dialect.commit).findIndex((id) => ARCHITECTURES[id] === dialect.arch) + 1;
  return encodeRecord(RECORDS.HEADER, dialect, dialect.arch.byteOrder, { arch_id });
}

/** The record in an image that is read by just this header set; undefined when the record tells another. */
function imageWith(record: Buffer, dialect: Dialect): LinuxCrImage | undefined {
  const bytes = Buffer.concat([richStream(dialect).subarray(0, -16), record]);
  const image = open(bytes);
  return image.dialect.commit === dialect.commit ? image : undefined;
}

interface Fact {
  readonly record: string;
  readonly arch?: ArchFamily;
  readonly fileType?: number;
  readonly commits: readonly [Commit, Commit];
  readonly size: number;
  readonly fields: string;
}

const { layouts } = JSON.parse(readFileSync(new URL("layouts.json", FIXTURES), "utf8")) as {
  layouts: readonly Fact[];
};
const KINDS: Readonly<Record<string, RecordKind>> = RECORDS;
/** `name type @offset:bytes` of the integers of a fact; arrays and texts have no type. */
const INTEGER = /^(\S+) ([usl][\de]+) @(\d+):(\d+)$/;

test("each integer of the measured layouts lies where they say, in the byte order of its machine", () => {
  let checked = 0;
  for (const { record, arch, fileType, commits, size, fields } of layouts) {
    const kind = KINDS[record];
    assert.ok(kind, record);
    for (const dialect of DIALECTS) {
      if (arch !== undefined && dialect.arch.family !== arch) continue;
      const order = COMMITS.indexOf(dialect.commit);
      if (order < COMMITS.indexOf(commits[0]) || order > COMMITS.indexOf(commits[1])) continue;
      if (layoutOf(kind, dialect, size, fileType)?.size !== size) continue;
      for (const field of fields.split("; ")) {
        const [, path, type, offset, bytes] = INTEGER.exec(field) ?? [];
        if (path === undefined || path.includes(".") || path === kind.count || path === "f_type") continue;
        const wide = bytes === "8";
        const marker = Buffer.from("0102030405060708", "hex").subarray(0, Number(bytes));
        const isLittle = type === "le16" || (type !== "be32" && dialect.arch.byteOrder === "little-endian");
        const stored = isLittle ? Buffer.from(marker).reverse() : marker;
        const number = BigInt(`0x${marker.toString("hex")}`);
        const value = {
          [path]: wide ? number : Number(number),
          ...(fileType === undefined ? {} : { f_type: fileType }),
        };
        const written = encodeRecord(kind, dialect, dialect.arch.byteOrder, value, undefined, size);
        const at = Number(offset);
        assertBytes(
          written.subarray(at, at + stored.length),
          stored,
          `${record}.${path} of ${dialect.commit}`,
        );
        checked++;
      }
    }
  }
  assert.ok(checked > 5000, String(checked));
});

for (const [name, bytes] of [
  ["the minimal stream", MINIMAL],
  ["a stream with everything", RICH],
] as const) {
  const small = walkStream(bytes).records.filter(({ size }) => size < 3000);

  test(`${name}, cut off anywhere`, () => {
    holds(
      fc.property(fc.integer({ min: 72, max: bytes.length - 1 }), (size) =>
        survives(bytes.subarray(0, size)),
      ),
      { numRuns: 150 },
    );
  });

  test(`${name}, any bit of it flipped`, () => {
    holds(
      fc.property(fc.constantFrom(...small), fc.nat(), fc.nat({ max: 7 }), ({ offset, size }, at, bit) => {
        const flipped = Buffer.from(bytes);
        const place = offset + (at % size);
        flipped[place] = (flipped[place] as number) ^ (1 << bit);
        if (place < 8) ends(() => survives(flipped));
        else survives(flipped);
      }),
      { numRuns: 400 },
    );
  });
}

test.run();
