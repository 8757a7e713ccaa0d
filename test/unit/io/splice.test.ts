import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { MemorySource } from "../../../src/io/source.js";
import { invertSplices, type Splice, SplicedSource, spliceBetween } from "../../../src/io/splice.js";
import { assertBytes } from "../../helpers/bytes.js";
import { holds } from "../../helpers/property.js";
import { suite } from "../../helpers/suite.js";

const test = suite("src/io/splice");

/** A source and splices that fit it: gaps and sizes in turn. */
const spliced = fc
  .record({
    base: fc.uint8Array({ maxLength: 300 }),
    steps: fc.array(
      fc.record({ gap: fc.nat(40), size: fc.nat(20), bytes: fc.uint8Array({ maxLength: 30 }) }),
      { maxLength: 12 },
    ),
  })
  .map(({ base, steps }) => {
    const splices: Splice[] = [];
    let at = 0;
    for (const { gap, size, bytes } of steps) {
      const offset = at + gap;
      if (offset + size > base.length) break;
      splices.push({ offset, size, bytes: Buffer.from(bytes) });
      at = offset + size;
    }
    return { base: Buffer.from(base), splices };
  });

/** What splices mean, said in the plainest way. */
function rewritten(base: Buffer, splices: readonly Splice[]): Buffer {
  return [...splices]
    .reverse()
    .reduce(
      (bytes, { offset, size, bytes: fresh }) =>
        Buffer.concat([bytes.subarray(0, offset), fresh, bytes.subarray(offset + size)]),
      base,
    );
}

test("a spliced source reads at any offset what the rewritten bytes hold", () => {
  holds(
    fc.property(spliced, fc.nat(400), fc.nat(400), ({ base, splices }, from, length) => {
      const source = new SplicedSource(new MemorySource(base, "base"), splices);
      const expected = rewritten(base, splices);
      assert.is(source.size, expected.length);
      const offset = Math.min(from, expected.length);
      const size = Math.min(length, expected.length - offset);
      assertBytes(source.read(offset, size), expected.subarray(offset, offset + size));
    }),
  );
});

test("inverted splices give the base back", () => {
  holds(
    fc.property(spliced, ({ base, splices }) => {
      const source = new MemorySource(base, "base");
      const after = new SplicedSource(source, splices);
      const back = new SplicedSource(after, invertSplices(source, splices));
      assertBytes(back.read(0, back.size), base);
    }),
  );
});

test("the splice between two byte strings turns one into the other, and is empty only for equal ones", () => {
  holds(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      const [before, after] = [Buffer.from(a), Buffer.from(b)];
      const splice = spliceBetween(0, before, after);
      assert.is(splice === undefined, before.equals(after));
      if (splice !== undefined) assertBytes(rewritten(before, [splice]), after);
    }),
  );
});

test("reading beyond the end is an error, not other bytes", () => {
  const source = new SplicedSource(new MemorySource(Buffer.from("abc"), "base"), [
    { offset: 1, size: 1, bytes: Buffer.alloc(0) },
  ]);
  assert.is(source.read(0, 2).toString(), "ac");
  assert.throws(() => source.read(1, 2), /truncated/);
});

test("splices that overlap or lie beyond the end are refused", () => {
  const base = new MemorySource(Buffer.from("abc"), "base");
  const cut = (offset: number, size: number): Splice => ({ offset, size, bytes: Buffer.alloc(0) });
  assert.throws(() => new SplicedSource(base, [cut(0, 2), cut(1, 1)]), /out of order/);
  assert.throws(() => new SplicedSource(base, [cut(2, 2)]), /beyond the end/);
});

test.run();
