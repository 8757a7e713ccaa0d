import * as assert from "uvu/assert";
import {
  fileNameOf,
  kindOfFileName,
  kindOfMagicName,
  magicName,
  readHeader,
} from "../../../../src/formats/criu/detect.js";
import { IMAGE_KINDS, IMAGES } from "../../../../src/formats/criu/images.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { headOf, imageOf } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("criu: what a file is");

const header = (bytes: Buffer, fileName = "") => readHeader(new MemorySource(bytes, "x"), fileName);

function refusal(bytes: Buffer, fileName?: string): string {
  try {
    header(bytes, fileName);
  } catch (error) {
    if (isCrimgError(error)) return error.message;
    throw error;
  }
  return assert.unreachable("it was accepted") as never;
}

for (const kind of IMAGE_KINDS.filter(({ status }) => status !== "unused"))
  test(`${kind.name}: its file names lead back to it, its magic too`, () => {
    const id = kind.file.includes("%u") || kind.file.includes("%x") ? 3000 : undefined;
    const name = kind.file.includes("%s") ? kind.file.replace("%s", "dump") : fileNameOf(kind, id);
    assert.is(kindOfFileName(name)?.kind, kind);
    assert.is(kindOfFileName(name)?.id, id);
    if (kind.magic === undefined) {
      assert.is(header(Buffer.from("whatever"), name), undefined);
      return;
    }
    for (const bigEndian of [false, true]) {
      const found = header(imageOf(kind.magic, [], { head: headOf(kind), bigEndian }), name);
      assert.is(found?.kind, kind);
      assert.is(found?.byteOrder, bigEndian ? "big-endian" : "little-endian");
      assert.is(found?.head, kind.head);
    }
    assert.is(kindOfMagicName(magicName(kind))?.magic, kind.magic);
  });

test("ids are decimal or hexadecimal as criu writes them", () => {
  assert.is(kindOfFileName("core-10.img")?.id, 10);
  assert.is(kindOfFileName("ghost-file-10.img")?.id, 16);
  assert.is(fileNameOf(IMAGES.GHOST_FILE, 255), "ghost-file-ff.img");
});

test("names that are not criu's belong to no kind", () => {
  for (const name of [
    "",
    "core-.img",
    "core-1.img.bak",
    "xcore-1.img",
    "core-1ximg",
    "dump.log",
    "ghost-file-FG.img",
    "stats-other",
  ])
    assert.is(kindOfFileName(name), undefined, name);
});

test("a file that has another magic than its name says is told with both", () => {
  const files = imageOf(IMAGES.FILES.magic as number, []);
  assert.is(header(files, "mm-1.img")?.kind, IMAGES.FILES);
  assert.match(
    refusal(Buffer.from("garbage!"), "mm-1.img"),
    /not a CRIU image \(magic 0x62726167, expected 0x57492820 for MM\)/,
  );
});

test("headers that are cut off are refused", () => {
  for (let size = 0; size < 8; size++)
    assert.match(refusal(imageOf(IMAGES.FILES.magic as number, []).subarray(0, size)), /no (second )?magic/);
});

test.run();
