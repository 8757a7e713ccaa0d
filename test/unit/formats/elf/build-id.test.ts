import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { buildIdWords, readBuildId } from "../../../../src/formats/elf/build-id.js";
import { ELF_NHDR, ELF32_EHDR, ELF32_PHDR } from "../../../../src/formats/elf/tables.js";
import { FileSource, MemorySource } from "../../../../src/io/source.js";
import { writeGivenFields } from "../../../../src/schema/struct-writer.js";
import { needs } from "../../../helpers/needs.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("formats/elf: build id");

test("the id that the linker was told", () => {
  needs("gcc", "libc6-dev");
  const dir = mkdtempSync(join(tmpdir(), "crimg-elf-"));
  try {
    const id = "00112233445566778899aabbccddeeff01020304";
    writeFileSync(join(dir, "main.c"), "int main(void) { return 0; }\n");
    execFileSync("gcc", ["-o", join(dir, "main"), join(dir, "main.c"), `-Wl,--build-id=0x${id}`]);
    assert.is(readBuildId(new FileSource(join(dir, "main")))?.toString("hex"), id);
    execFileSync("gcc", ["-o", join(dir, "none"), join(dir, "main.c"), "-Wl,--build-id=none"]);
    assert.is(readBuildId(new FileSource(join(dir, "none"))), undefined);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** A 32-bit big-endian file with one note segment. */
function bigEndian(id: Buffer): Buffer {
  const order = "big-endian";
  const header = writeGivenFields(
    ELF32_EHDR,
    { e_type: 2, e_machine: 22, e_phoff: ELF32_EHDR.size, e_phentsize: ELF32_PHDR.size, e_phnum: 1 },
    order,
  );
  header.set([0x7f, 0x45, 0x4c, 0x46, 1, 2, 1]);
  const notes = ELF32_EHDR.size + ELF32_PHDR.size;
  const segment = writeGivenFields(
    ELF32_PHDR,
    { p_type: 4, p_offset: notes, p_filesz: 16 + id.length },
    order,
  );
  const note = writeGivenFields(ELF_NHDR, { n_namesz: 4, n_descsz: id.length, n_type: 3 }, order);
  return Buffer.concat([header, segment, note, Buffer.from("GNU\0"), id]);
}

test("32 bits and big-endian", () => {
  const id = Buffer.from("a1b2c3d4e5f60718", "hex");
  assert.equal(readBuildId(new MemorySource(bigEndian(id), "elf")), id);
});

test("words of the image: byte order, last one filled up", () => {
  const id = Buffer.from("a1b2c3d4e5f6", "hex");
  assert.equal(buildIdWords(id, "little-endian"), [0xd4c3b2a1, 0xf6e5]);
  assert.equal(buildIdWords(id, "big-endian"), [0xa1b2c3d4, 0xe5f60000]);
});

test("every truncation and every flipped byte ends without a crash", () => {
  const file = bigEndian(Buffer.from("a1b2c3d4e5f60718", "hex"));
  for (let size = 0; size < file.length; size++)
    assert.is(readBuildId(new MemorySource(file.subarray(0, size), "elf")), undefined);
  for (let at = 0; at < file.length; at++) {
    const flipped = Buffer.from(file);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 0xff, at);
    const id = readBuildId(new MemorySource(flipped, "elf"));
    assert.ok(id === undefined || id.length > 0);
  }
});

test.run();
