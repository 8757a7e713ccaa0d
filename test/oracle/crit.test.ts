import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import * as assert from "uvu/assert";
import { encodeImage } from "../../src/ops/recode/encode-image.js";
import { assertBytes } from "../helpers/bytes.js";
import { type CritResult, critBatch } from "../helpers/crit.js";
import { findCrit } from "../helpers/criu.js";
import { fixture, fixtureImages } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { decoded } from "../helpers/recode.js";
import { skip, suite } from "../helpers/suite.js";

const test = suite("oracle: crit", undefined, 300);

/** crit cannot encode these kinds: it asks its own base64 reader for bytes and gives it text. */
const CRIT_CANNOT_ENCODE = /^(ipcns-shm|bpfmap-data)/;

const HAS_PAYLOAD = /ghost|data|queues|stream|ipcns-(shm|msg|sem)/;

test.before(() => {
  const crit = findCrit();
  if ("version" in crit && Number.parseInt(crit.version, 10) < 4)
    skip(`crit ${crit.version} does not know all fields; 4.0 or newer is needed`);
});
test.after(cleanUp);

const allImages = fixtureImages();

for (const directory of new Set(allImages.map((path) => dirname(path)))) {
  const images = allImages.filter((path) => dirname(path) === directory);
  const set = relative(fixture(""), directory);

  for (const pretty of [false, true])
    test(`${set}: our ${pretty ? "pretty" : "plain"} JSON is crit's, and crit's gives the image`, () => {
      const style = pretty ? ["--pretty"] : [];
      const results = critBatch(images.map((path) => ["decode", "-i", path, ...style]));
      for (const [i, path] of images.entries()) {
        const theirs = bytesOf(results[i], path);
        const bytes = readFileSync(path);
        assert.fixture(decoded(bytes, { pretty, fileName: basename(path) }), theirs.toString(), path);
        assertBytes(encodeImage(theirs), bytes, path);
      }
    });

  test(`${set}: crit makes the image of our JSON`, () => {
    const encodable = images.filter((path) => !CRIT_CANNOT_ENCODE.test(basename(path)));
    const scratch = freshDirectory("json");
    const inputs = encodable.map((path, i) => {
      const json = join(scratch, `${i}.json`);
      writeFileSync(json, decoded(readFileSync(path), { fileName: basename(path) }));
      return json;
    });
    const results = critBatch(inputs.map((json) => ["encode", "-i", json, "-o", "OUT"]));
    for (const [i, path] of encodable.entries())
      assertBytes(bytesOf(results[i], path), readFileSync(path), path);
  });

  const withPayload = images.filter((path) => HAS_PAYLOAD.test(basename(path)));
  if (withPayload.length > 0)
    test(`${set}: payloads are left out as crit leaves them out`, () => {
      const results = critBatch(withPayload.map((path) => ["show", path, "--nopl"]));
      for (const [i, path] of withPayload.entries()) {
        const ours = decoded(readFileSync(path), { pretty: true, noPayload: true, fileName: basename(path) });
        assert.fixture(ours, bytesOf(results[i], path).toString(), path);
      }
    });
}

test.run();

function bytesOf(result: CritResult | undefined, path: string): Buffer {
  if (result === undefined || "error" in result)
    return assert.unreachable(`crit on ${path}: ${result?.error ?? "no result"}`) as never;
  return result.bytes;
}
