/** Real streams with pieces changed, moved, doubled and left out: every operation ends in a value or one clear error. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { LinuxCrImage } from "../../src/formats/linux-cr/image.js";
import { isCrimgError } from "../../src/io/errors.js";
import { MemorySource } from "../../src/io/source.js";
import { salvage } from "../../src/model/salvaged.js";
import { openStream } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { dumpStream } from "../../src/ops/dump/dump-stream.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { editedBytes } from "../../src/ops/edit/stream/apply.js";
import { findInStream } from "../../src/ops/find/find-in-stream.js";
import { matcherOf } from "../../src/ops/find/matcher.js";
import { streamInfo } from "../../src/ops/info/stream-info.js";
import { decodeStream } from "../../src/ops/recode/decode-stream.js";
import { encodeStream } from "../../src/ops/recode/encode-stream.js";
import { openRestoreOptions, restoreOptions } from "../../src/ops/restore-options/restore-options.js";
import { summaryView } from "../../src/ops/show/summary.js";
import { VIEWS, type ViewName } from "../../src/ops/show/views.js";
import { validate } from "../../src/ops/validate/validate.js";
import { assertBytes } from "../helpers/bytes.js";
import { STREAM_FIXTURES, streamFixture } from "../helpers/images.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";

const SECONDS_PER_STREAM = 5;
const RUNS = 25;
const MOST_ERROR = 2000;
const test = suite("property: mutated streams", undefined, 240);

/** How one stream becomes another one. `at` and `from` choose records, `where` a byte of one, `bytes` what goes there. */
interface Mutation {
  readonly how: "write" | "copy" | "drop" | "double" | "swap" | "length" | "cut";
  readonly at: number;
  readonly from: number;
  readonly where: number;
  readonly bytes: Uint8Array;
}

const EXTREMES = [
  "00000000",
  "ffffffff",
  "ffffff7f",
  "00000080",
  "01000000",
  "ffffffffffffff7f",
  "ffffffffffffffff",
];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  how: fc.constantFrom("write", "write", "write", "copy", "drop", "double", "swap", "length", "cut"),
  at: fc.nat(),
  from: fc.nat(),
  where: fc.nat(),
  bytes: fc.oneof(
    fc.constantFrom(...EXTREMES).map((hex) => Buffer.from(hex, "hex")),
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
  ),
});

/** The records of a stream as pieces, raw pages with those that they follow. */
function piecesOf(bytes: Buffer): Buffer[] {
  const image = new LinuxCrImage(new MemorySource(bytes, "pieces.ckpt"));
  const starts = Array.from({ length: image.length }, (_, i) => image.range(i).offset);
  return starts.map((start, i) => bytes.subarray(start, starts[i + 1] ?? bytes.length));
}

function mutated(pieces: readonly Buffer[], mutations: readonly Mutation[]): Buffer {
  const all = [...pieces];
  for (const { how, at, from, where, bytes } of mutations) {
    const index = 1 + (at % Math.max(1, all.length - 1));
    const other = 1 + (from % Math.max(1, all.length - 1));
    const piece = Buffer.from(all[index] ?? Buffer.alloc(8));
    if (how === "write")
      piece.set(bytes.subarray(0, piece.length), where % Math.max(1, piece.length - bytes.length));
    if (how === "length" && piece.length >= 8) piece.writeUInt32LE((where % 4096) + 8, 4);
    if (how === "write" || how === "length") all[index] = piece;
    else if (how === "copy") all[index] = all[other] ?? piece;
    else if (how === "drop") all.splice(index, 1);
    else if (how === "double") all.splice(other, 0, piece);
    else if (how === "swap") [all[index], all[other]] = [all[other] ?? piece, piece];
    else if (where % 4 === 0) all.length = index + 1;
  }
  return Buffer.concat(all);
}

/** Runs to a value, or to an error that crimg knows and that fits on a line or two. */
function ends(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    assert.ok(error.message.length < MOST_ERROR && !error.message.includes("\n"), error.message);
  }
}

function endsAll(bytes: Buffer, original: Buffer): void {
  const name = "mutated.ckpt";
  const image = new LinuxCrImage(new MemorySource(bytes, name));
  const json = [...decodeStream(image)].join("");
  assertBytes(Buffer.concat([...encodeStream(json)]), bytes, "through JSON");
  const open = () => openStream(new MemorySource(bytes, name));
  ends(() => [...dumpStream(image)]);
  ends(() => [...findInStream(image, matcherOf("a", {}))]);
  ends(() => streamInfo(image));
  const document = open();
  for (const read of [document, salvage(document)]) {
    ends(() => summaryView(read));
    for (const view of Object.keys(VIEWS) as ViewName[]) ends(() => drain(VIEWS[view](read, { runs: true })));
  }
  // What is wrong with a stream is told as findings, and none is thrown.
  const { findings, valid } = validate(document);
  assert.ok(valid || findings.length > 0);
  ends(() => [restoreOptions(document), openRestoreOptions(document)]);
  ends(() => diffCheckpoints(openStream(new MemorySource(original, "original.ckpt")), document));
  ends(() => planConversion(document, "criu"));
  for (const [kind, text] of [
    ["remap-path", "/var=/somewhere/else"],
    ["expiry", "all=+1s"],
    ["comm", "1000=other"],
  ] as const)
    ends(() => {
      const edited = open();
      for (const chunk of editedBytes(edited, planEdits(edited, [{ kind, text }])))
        assert.ok(chunk.length > 0);
    });
}

/** Reads all that a view would print. */
function drain(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const item of Symbol.iterator in value ? (value as Iterable<unknown>) : Object.values(value))
    drain(item);
}

for (const name of STREAM_FIXTURES) {
  const original = readFileSync(streamFixture(name));
  const pieces = piecesOf(original);

  test(`${name}, changed in one place or in a few`, () => {
    holds(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const bytes = mutated(pieces, mutations);
        const start = performance.now();
        endsAll(bytes, original);
        const seconds = (performance.now() - start) / 1000;
        assert.ok(seconds < SECONDS_PER_STREAM, `${seconds} s`);
      }),
      { numRuns: RUNS, endOnFailure: true, includeErrorInReport: true },
    );
  });
}

test.run();
