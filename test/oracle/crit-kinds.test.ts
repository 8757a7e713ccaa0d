import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as assert from "uvu/assert";
import type { ImageKind } from "../../src/formats/criu/image-kind.js";
import { IMAGE_KINDS } from "../../src/formats/criu/images.js";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { MessageTable } from "../../src/schema/message.js";
import { valuesOf } from "../helpers/arbitrary.js";
import { assertBytes } from "../helpers/bytes.js";
import { critBatch } from "../helpers/crit.js";
import { needCrit } from "../helpers/criu.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { PAYLOAD_IMAGES } from "../helpers/payload-images.js";
import { decoded, headOf, imageOf } from "../helpers/recode.js";
import { SEED, TIMES } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";
import { isNewerThan } from "../helpers/tables.js";

const test = suite("oracle: crit on every kind", undefined, 120);

const SAMPLES = 6;

/** What crit reads wrongly or not at all; crimg differs there on purpose. */
const CRIT_MISREADS = /padding|big-endian|\b(messages|shared memory)\b/;

test.after(cleanUp);

const kinds = IMAGE_KINDS.filter((kind) => kind.magic !== undefined && kind.payload.length === 0);

for (const pretty of [false, true])
  test(`records of every kind, ${pretty ? "pretty" : "plain"}`, () => {
    const { version } = needCrit();
    const images = kinds.flatMap((kind) =>
      randomImages(kind, version).map((bytes) => ({ name: kind.name, bytes })),
    );
    const handled = compare(images, pretty);
    assert.ok(handled.size > kinds.length - 10, `crit knew only ${[...handled].join(", ")}`);
  });

test("records with payloads", () => {
  const images = PAYLOAD_IMAGES.filter(([name]) => !CRIT_MISREADS.test(name)).map(([name, bytes]) => ({
    name,
    bytes,
  }));
  assert.is(compare(images, false).size, images.length);
  assert.is(compare(images, true).size, images.length);
});

test.run();

/** Holds crit's JSON of each image against ours; returns the names of those that crit can read at all. */
function compare(images: readonly { name: string; bytes: Buffer }[], pretty: boolean): Set<string> {
  const scratch = freshDirectory("kinds");
  const paths = images.map(({ bytes }, i) => {
    const path = join(scratch, `${i}.img`);
    writeFileSync(path, bytes);
    return path;
  });
  const results = critBatch(paths.map((path) => ["decode", "-i", path, ...(pretty ? ["--pretty"] : [])]));
  const handled = new Set<string>();
  for (const [i, { name, bytes }] of images.entries()) {
    const result = results[i];
    if (result === undefined || "error" in result) {
      assert.match(result?.error ?? "", /No handler found/, name);
      continue;
    }
    handled.add(name);
    assert.fixture(decoded(bytes, { pretty }), result.bytes.toString(), name);
    assertBytes(encodeImage(result.bytes), bytes, name);
  }
  return handled;
}

/** The same images for the same seed: a difference must not come and go. */
function randomImages(kind: ImageKind, release: string): Buffer[] {
  const records = [0, 1].map((index) => {
    const table = kind.entries[Math.min(index, kind.entries.length - 1)]?.message as MessageTable;
    const without = (field: Parameters<typeof isNewerThan>[1]) => isNewerThan(release, field);
    return valuesOf(table, { tame: true, without }).map((value) => encodeMessage(table, value as never));
  });
  return fc
    .sample(fc.tuple(...records), { numRuns: SAMPLES * TIMES, seed: SEED })
    .map((list) => imageOf(kind.magic as number, list, { head: headOf(kind) }));
}
