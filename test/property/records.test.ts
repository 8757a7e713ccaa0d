import fc from "fast-check";
import * as assert from "uvu/assert";
import { CriuImage } from "../../src/formats/criu/image.js";
import type { ImageKind } from "../../src/formats/criu/image-kind.js";
import { IMAGE_KINDS } from "../../src/formats/criu/images.js";
import { MemorySource } from "../../src/io/source.js";
import { dumpImage } from "../../src/ops/dump/dump-image.js";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { isCanonical } from "../../src/schema/canonical.js";
import { decodeMessage } from "../../src/schema/decode.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { AnyValue, MessageTable } from "../../src/schema/message.js";
import { patchMessage } from "../../src/schema/patch.js";
import { wireSpans } from "../../src/schema/wire.js";
import { disturbed, valuesOf } from "../helpers/arbitrary.js";
import { assertBytes } from "../helpers/bytes.js";
import { holds } from "../helpers/property.js";
import { decoded, headOf, imageOf } from "../helpers/recode.js";
import { SAMPLE } from "../helpers/sample-tables.js";
import { suite } from "../helpers/suite.js";
import { allTables } from "../helpers/tables.js";

const test = suite("property: records", undefined, 120);

const { messages } = await allTables();
const RUNS = 30;

/** Kinds whose records stand alone, one for each message that heads an image. */
const PLAIN_KINDS = IMAGE_KINDS.filter((kind) => kind.magic !== undefined && kind.payload.length === 0);

for (const table of messages.values())
  test(`${table.name}: encode and decode give the value and the bytes back`, () => {
    holds(
      fc.property(valuesOf(table), (value) => {
        const bytes = encodeMessage(table, value as never);
        const again = decodeMessage(table, bytes) as AnyValue;
        assert.equal(again, value);
        assert.ok(isCanonical(table, again, bytes));
      }),
      { numRuns: RUNS },
    );
  });

for (const kind of PLAIN_KINDS)
  test(`${kind.name}: any bytes that can be read come back through JSON, and the dump tiles them`, () => {
    holds(
      fc.property(disturbedRecords(kind), (records) => {
        const image = imageOf(kind.magic as number, records, { head: headOf(kind) });
        const plain = decoded(image);
        assertBytes(encodeImage(plain), image);
        assertBytes(encodeImage(decoded(image, { pretty: true })), image);
        assertTiles(image);
      }),
      { numRuns: RUNS },
    );
  });

test("a patch changes the bytes of its field, the lengths around it, and nothing else", () => {
  holds(
    fc.property(
      valuesOf(SAMPLE).chain((value) => disturbed(encodeMessage(SAMPLE, value as never))),
      fc.nat({ max: 0xffffffff }),
      (bytes, number) => {
        const before = decodeMessage(SAMPLE, bytes) as AnyValue;
        const after = patchMessage(SAMPLE, bytes, [{ path: ["u32"], value: number }]);
        assert.equal(decodeMessage(SAMPLE, after), { ...before, u32: number });
        assert.equal(others(after, 1), others(bytes, 1));
        const nested = patchMessage(SAMPLE, bytes, [{ path: ["one", "id"], value: number }]);
        assert.is((decodeMessage(SAMPLE, nested) as { one: { id: number } }).one.id, number);
        assert.equal(others(nested, 12), others(bytes, 12));
      },
    ),
    { numRuns: 300 },
  );
});

test.run();

/** One to three records of the kind, encoded as CRIU does and otherwise. */
function disturbedRecords(kind: ImageKind): fc.Arbitrary<Buffer[]> {
  const records = [0, 1, 2].map((index) => {
    const rule = kind.entries[Math.min(index, kind.entries.length - 1)];
    const table = rule?.message as MessageTable;
    return valuesOf(table).chain((value) => {
      const bytes = encodeMessage(table, value as never);
      return fc.oneof(fc.constant(bytes), disturbed(bytes));
    });
  });
  return fc
    .tuple(fc.integer({ min: 0, max: 3 }), ...records)
    .map(([count, ...list]) => (list as Buffer[]).slice(0, count));
}

function assertTiles(bytes: Buffer): void {
  let at = 0;
  for (const range of dumpImage(new CriuImage(new MemorySource(bytes, "image"), ""))) {
    assert.is(range.offset, at);
    assert.ok(range.size > 0);
    at += range.size;
  }
  assert.is(at, bytes.length);
}

/** The bytes of all fields but those of one number. */
function others(bytes: Buffer, number: number): string[] {
  return wireSpans(bytes)
    .filter((span) => span.number !== number)
    .map((span) => bytes.toString("hex", span.start, span.end));
}
