/**
 * The GNU build id of an ELF file, located as by criu: in a PT_NOTE segment within the first MiB (criu/files-reg.c,
 * elf(5)). Works for both word sizes and both byte orders.
 */

import type { ByteOrder } from "../../io/byte-order.js";
import type { ByteSource } from "../../io/source.js";
import { readStruct } from "../../schema/struct-reader.js";
import {
  ELF_IDENT,
  ELF_MAGIC,
  ELF_NHDR,
  ELF32_EHDR,
  ELF32_PHDR,
  ELF64_EHDR,
  ELF64_PHDR,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  NT_GNU_BUILD_ID,
  PT_NOTE,
} from "./tables.js";

const READ_BYTES = 1024 * 1024;
const MAX_BUILD_ID_BYTES = 512;

/** The build id as bytes; undefined for a file that is not ELF or has none where criu looks. */
export function readBuildId(source: ByteSource): Buffer | undefined {
  const bytes = source.read(0, Math.min(READ_BYTES, source.size));
  if (bytes.length < ELF64_EHDR.size) return undefined;
  const ident = readStruct(ELF_IDENT, bytes, "little-endian");
  if (!ident.magic.equals(ELF_MAGIC) || (ident.data !== ELFDATA2LSB && ident.data !== ELFDATA2MSB))
    return undefined;
  const byteOrder: ByteOrder = ident.data === ELFDATA2LSB ? "little-endian" : "big-endian";
  for (const { offset, size } of noteSegments(bytes, byteOrder, ident.class === ELFCLASS64)) {
    const id = buildIdAmongNotes(bytes, byteOrder, offset, Math.min(offset + size, bytes.length));
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * A build id in the form of `reg_file_entry.build_id`: words of 4 bytes in the byte order of the machine, the last one
 * padded with zeros.
 */
export function buildIdWords(id: Buffer, byteOrder: ByteOrder): number[] {
  const padded = Buffer.concat([id, Buffer.alloc((4 - (id.length % 4)) % 4)]);
  return Array.from({ length: padded.length / 4 }, (_, i) =>
    byteOrder === "little-endian" ? padded.readUInt32LE(i * 4) : padded.readUInt32BE(i * 4),
  );
}

/** Offsets and sizes as Number: above 53 bits they are beyond any file. */
function* noteSegments(
  bytes: Buffer,
  byteOrder: ByteOrder,
  is64: boolean,
): Generator<{ offset: number; size: number }> {
  const header = is64 ? readStruct(ELF64_EHDR, bytes, byteOrder) : readStruct(ELF32_EHDR, bytes, byteOrder);
  const table = is64 ? ELF64_PHDR : ELF32_PHDR;
  for (let i = 0; i < header.e_phnum; i++) {
    const at = Number(header.e_phoff) + i * header.e_phentsize;
    if (at + table.size > bytes.length) return;
    const segment = readStruct(table, bytes.subarray(at), byteOrder);
    if (segment.p_type === PT_NOTE)
      yield { offset: Number(segment.p_offset), size: Number(segment.p_filesz) };
  }
}

function buildIdAmongNotes(
  bytes: Buffer,
  byteOrder: ByteOrder,
  start: number,
  end: number,
): Buffer | undefined {
  for (let at = start; at + ELF_NHDR.size <= end; ) {
    const note = readStruct(ELF_NHDR, bytes.subarray(at), byteOrder);
    const name = at + ELF_NHDR.size;
    const content = name + align(note.n_namesz);
    const isBuildId =
      note.n_type === NT_GNU_BUILD_ID &&
      note.n_namesz === 4 &&
      bytes.toString("latin1", name, name + 4) === "GNU\0";
    if (
      isBuildId &&
      note.n_descsz > 0 &&
      note.n_descsz <= MAX_BUILD_ID_BYTES &&
      content + note.n_descsz <= end
    )
      return bytes.subarray(content, content + note.n_descsz);
    at = content + align(note.n_descsz);
  }
  return undefined;
}

function align(size: number): number {
  return Math.ceil(size / 4) * 4;
}
