import * as assert from "uvu/assert";
import { CriuImage } from "../../../../src/formats/criu/image.js";
import { MemorySource } from "../../../../src/io/source.js";
import { imageInfo } from "../../../../src/ops/info/image-info.js";
import { PAYLOAD_IMAGES } from "../../../helpers/payload-images.js";
import { imageOf } from "../../../helpers/recode.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("ops: info");

const info = (bytes: Buffer, fileName = "") =>
  imageInfo(new CriuImage(new MemorySource(bytes, "x"), fileName));

test("payloads do not upset the count", () => {
  for (const [name, bytes] of PAYLOAD_IMAGES) {
    const { count, payloadSize, size } = info(bytes);
    assert.ok(count === 1 || count === 2, `${name}: ${count}`);
    assert.is(size, bytes.length);
    assert.ok((payloadSize ?? 0) < size);
  }
  const [, pipes = Buffer.alloc(0)] = PAYLOAD_IMAGES.find(([name]) => name === "pipe data") ?? [];
  assert.is(info(pipes).count, 2);
  assert.is(info(pipes).payloadSize, 3);
});

test("envelope, byte order and owner are told", () => {
  const fs = Buffer.from("080e100f1812", "hex");
  const old = info(imageOf(0x51403912, [fs], { head: null, bigEndian: true }), "fs-1000.img");
  assert.is(old.envelope, "V1");
  assert.is(old.byteOrder, "big-endian");
  assert.equal(old.belongsTo, { what: "task", id: 1000 });
  assert.is(info(imageOf(0x52583605, []), "ghost-file-1f.img").belongsTo?.id, 31);
});

test("a raw image has no records, and a kind by its name", () => {
  const raw = info(Buffer.from("page"), "pages-7.img");
  assert.is(raw.kind, "PAGES");
  assert.is(raw.magic, undefined);
  assert.is(raw.count, undefined);
  assert.is(raw.size, 4);
});

test("kinds with one magic are told apart by the name, and called as crit calls them", () => {
  const bytes = imageOf(0x56084025, [Buffer.from("0801", "hex")]);
  assert.is(info(bytes, "pagemap-shmem-3.img").kind, "SHMEM_PAGEMAP");
  assert.is(info(bytes, "pagemap-shmem-3.img").magic, "PAGEMAP");
  assert.is(info(bytes).kind, "PAGEMAP");
});

test.run();
