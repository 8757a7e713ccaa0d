import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import * as assert from "uvu/assert";
import { CriuImage } from "../../src/formats/criu/image.js";
import { IMAGE_KINDS } from "../../src/formats/criu/images.js";
import { isCrimgError } from "../../src/io/errors.js";
import { MemorySource } from "../../src/io/source.js";
import { dumpImage } from "../../src/ops/dump/dump-image.js";
import { findInImage } from "../../src/ops/find/find.js";
import { matcherOf } from "../../src/ops/find/matcher.js";
import { imageInfo } from "../../src/ops/info/image-info.js";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { assertBytes } from "../helpers/bytes.js";
import { crimg, preloading } from "../helpers/cli.js";
import { fixtureImages } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { holds } from "../helpers/property.js";
import { decoded, headOf, imageOf } from "../helpers/recode.js";
import { suite } from "../helpers/suite.js";

const test = suite("hostile: single images", undefined, 240);
test.after(cleanUp);

const MIB = 1024 * 1024;
const MAX_PEAK = 256 * MIB;
const MAX_SECONDS = 5;
const PEAK = fileURLToPath(new URL("../helpers/peak.cjs", import.meta.url));

/** The smallest fixture of each kind, up to some size: bytes enough for every damage to be tried. */
const samples = smallestOfEachKind(700);

test("there are samples of many kinds", () => {
  assert.ok(samples.length >= 20, String(samples.length));
});

for (const { name, bytes } of samples) {
  test(`${name}: cut off at every byte`, () => {
    for (let size = 0; size < bytes.length; size++) survives(bytes.subarray(0, size), name);
  });

  test(`${name}: every byte changed`, () => {
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ flip;
        survives(damaged, name);
      }
  });

  test(`${name}: JSON cut off at every character`, () => {
    const json = decoded(bytes, { fileName: name }).trimEnd();
    for (let size = 0; size < json.length; size++) refuses(json.slice(0, size));
  });
}

test("random bytes behind every good magic", () => {
  const kinds = IMAGE_KINDS.filter((kind) => kind.magic !== undefined);
  holds(
    fc.property(
      fc.constantFrom(...kinds),
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      (kind, bytes, framed) => {
        const tail = Buffer.from(bytes);
        const head = imageOf(kind.magic as number, framed ? [tail] : [], { head: headOf(kind) });
        survives(framed ? head : Buffer.concat([head, tail]), "");
      },
    ),
    { numRuns: 3000 },
  );
});

test("random text as JSON", () => {
  const kinds = IMAGE_KINDS.filter((kind) => kind.magic !== undefined).map(({ name }) => name);
  holds(
    fc.property(fc.constantFrom(...kinds), fc.json({ noUnicodeString: false }), (magic, json) => {
      encodes(`{"magic": "${magic}", "entries": [${json}]}`);
      encodes(json);
    }),
    { numRuns: 2000 },
  );
});

/** Files that claim or cost much, and the arguments that read them. */
const scratch = freshDirectory("hostile");
const HEAVY: [string, () => Buffer, string[]][] = [
  [
    "64 MiB of unknown fields of two bytes",
    () => imageOf(0x64413049, [Buffer.alloc(64 * MIB, Buffer.from([0x78, 1]))]),
    ["decode", "dump", "info"],
  ],
  [
    "64 MiB of list elements of two bytes",
    () => imageOf(0x64413049, [Buffer.alloc(64 * MIB, Buffer.from([0x0a, 0]))]),
    ["decode", "info"],
  ],
  ["64 MiB of a packed run", () => imageOf(0x50273030, [packedThreads(63 * MIB)]), ["decode", "info"]],
  ["a record of 100 MiB", () => imageOf(0x51403912, [Buffer.alloc(100 * MIB)]), ["decode", "info"]],
  [
    "a JSON of a million brackets",
    () => Buffer.from(`{"magic": "FS", "entries": ${"[".repeat(1_000_000)}`),
    ["encode"],
  ],
  [
    "a JSON number of ten million digits",
    () => Buffer.from(`{"magic": "FS", "entries": [{"cwd_id": ${"9".repeat(10_000_000)}}]}`),
    ["encode"],
  ],
  ["a JSON text that never ends", () => Buffer.from(`{"magic": "${"x".repeat(20_000_000)}`), ["encode"]],
];

for (const [what, make, commands] of HEAVY)
  for (const command of commands)
    test(`${command} of ${what} ends soon, in little memory, with one sentence`, async () => {
      const file = join(scratch, "heavy.img");
      writeFileSync(file, make());
      const peak = join(scratch, "peak");
      const start = Date.now();
      const { code, stderr } = await crimg([command, file], {
        env: { NODE_OPTIONS: preloading(PEAK), CRIMG_TEST_PEAK: peak },
        seconds: 60,
      });
      const seconds = (Date.now() - start) / 1000;
      assert.is(code, 2, stderr);
      assert.match(stderr, /^error: [^\n]{1,2000}\n$/);
      assert.not.match(stderr, /internal/);
      assert.ok(seconds < MAX_SECONDS, `${seconds} s`);
      const used = JSON.parse(readFileSync(peak, "utf8")).bytes as number;
      assert.ok(used < MAX_PEAK, `${Math.round(used / MIB)} MiB`);
    });

test.run();

/** Reads an image in every way there is: each ends with an answer or with an error of ours. */
function survives(bytes: Buffer, fileName: string): void {
  let json: string | undefined;
  ends(() => {
    json = decoded(bytes, { fileName });
  });
  if (json !== undefined) assertBytes(encodeImage(json), bytes, `${fileName} through JSON`);
  const open = () => new CriuImage(new MemorySource(bytes, "image"), fileName);
  ends(() => [...dumpImage(open())].length);
  ends(() => imageInfo(open()));
  ends(() => [...findInImage(open(), matcherOf("a", {}))].length);
}

function encodes(json: string): void {
  ends(() => encodeImage(json));
}

function refuses(json: string): void {
  try {
    encodeImage(json);
  } catch (error) {
    if (isCrimgError(error)) return;
    throw error;
  }
  assert.unreachable(`${json.slice(-80)} was taken for whole`);
}

function ends(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!isCrimgError(error)) throw error;
  }
}

function packedThreads(size: number): Buffer {
  const length = [0, 7, 14, 21].map((shift) => ((size >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0));
  return Buffer.concat([Buffer.from([8, 1, 16, 0, 24, 1, 32, 1, 0x2a, ...length]), Buffer.alloc(size, 1)]);
}

function smallestOfEachKind(limit: number): { name: string; bytes: Buffer }[] {
  const smallest = new Map<string, { name: string; bytes: Buffer }>();
  for (const path of fixtureImages()) {
    const bytes = readFileSync(path);
    const name = basename(path);
    const kind = new CriuImage(new MemorySource(bytes, name), name).kind?.name ?? "";
    const known = smallest.get(kind);
    if (bytes.length <= limit && (known === undefined || bytes.length < known.bytes.length))
      smallest.set(kind, { name, bytes });
  }
  return [...smallest.values()];
}
