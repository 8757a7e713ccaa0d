import { readFileSync } from "node:fs";
import { basename, relative } from "node:path";
import * as assert from "uvu/assert";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import { MemorySource } from "../../../../src/io/source.js";
import { dumpImage } from "../../../../src/ops/dump/dump-image.js";
import { encodeImage } from "../../../../src/ops/recode/encode-image.js";
import { assertBytes } from "../../../helpers/bytes.js";
import { fixture, fixtureImages } from "../../../helpers/images.js";
import { decoded } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("every fixture: decode, encode, dump");

const images = fixtureImages();

test("there are fixtures", () => {
  assert.ok(images.length > 100, String(images.length));
});

for (const path of images)
  test(`${relative(fixture(""), path)}: it comes back to the byte, and the dump tiles it`, () => {
    const bytes = readFileSync(path);
    const fileName = basename(path);
    for (const pretty of [false, true]) {
      const json = decoded(bytes, { pretty, fileName });
      assertBytes(encodeImage(json), bytes);
      assert.not.match(json, /"_(wire|unknown|padding|head|byte_order)"/);
    }
    let at = 0;
    for (const { offset, size } of dumpImage(new CriuImage(new MemorySource(bytes, path), fileName))) {
      assert.is(offset, at);
      at += size;
    }
    assert.is(at, bytes.length);
  });

test.run();
