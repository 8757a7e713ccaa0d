/**
 * The GNU build id of an ELF file, found as criu finds it: in a PT_NOTE segment within the first MiB (criu/files-reg.c,
 * elf(5)). Works for both word sizes and both byte orders.
 */
import type { ByteSource } from "../../io/source.js";

const READ_BYTES = 1024 * 1024;
const MAX_BUILD_ID_BYTES = 512;
const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;

interface Elf {
  readonly bytes: Buffer;
  readonly is64: boolean;
  readonly isLittle: boolean;
}

/** The build id as bytes; undefined for a file that is no ELF or has none where criu looks. */
export function readBuildId(source: ByteSource): Buffer | undefined {
  const bytes = source.read(0, Math.min(READ_BYTES, source.size));
  const isElf = bytes.length >= 64 && bytes.readUInt32BE(0) === 0x7f454c46;
  if (!isElf || !isOneOrTwo(bytes[4]) || !isOneOrTwo(bytes[5])) return undefined;
  const elf = { bytes, is64: bytes[4] === 2, isLittle: bytes[5] === 1 };
  const table = elf.is64 ? word64(elf, 32) : word32(elf, 28);
  const entrySize = half(elf, elf.is64 ? 54 : 42);
  const count = half(elf, elf.is64 ? 56 : 44);
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    if (at + (elf.is64 ? 56 : 32) > bytes.length) return undefined;
    if (word32(elf, at) !== PT_NOTE) continue;
    const offset = elf.is64 ? word64(elf, at + 8) : word32(elf, at + 4);
    const size = elf.is64 ? word64(elf, at + 32) : word32(elf, at + 16);
    const id = buildIdAmongNotes(elf, offset, Math.min(offset + size, bytes.length));
    if (id !== undefined) return id;
  }
  return undefined;
}

/**
 * A build id as `reg_file_entry.build_id` holds it: words of 4 bytes in the byte order of the machine, the last one
 * filled up with zeros.
 */
export function buildIdWords(id: Buffer, byteOrder: "little-endian" | "big-endian"): number[] {
  const padded = Buffer.concat([id, Buffer.alloc((4 - (id.length % 4)) % 4)]);
  return Array.from({ length: padded.length / 4 }, (_, i) =>
    byteOrder === "little-endian" ? padded.readUInt32LE(i * 4) : padded.readUInt32BE(i * 4),
  );
}

function buildIdAmongNotes(elf: Elf, start: number, end: number): Buffer | undefined {
  for (let at = start; at + 12 <= end; ) {
    const nameSize = word32(elf, at);
    const size = word32(elf, at + 4);
    const content = at + 12 + align(nameSize);
    const isBuildId =
      word32(elf, at + 8) === NT_GNU_BUILD_ID &&
      nameSize === 4 &&
      elf.bytes.toString("latin1", at + 12, at + 16) === "GNU\0";
    if (isBuildId && size > 0 && size <= MAX_BUILD_ID_BYTES && content + size <= end)
      return elf.bytes.subarray(content, content + size);
    at = content + align(size);
  }
  return undefined;
}

function align(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function isOneOrTwo(value: number | undefined): boolean {
  return value === 1 || value === 2;
}

function half({ bytes, isLittle }: Elf, at: number): number {
  return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

function word32({ bytes, isLittle }: Elf, at: number): number {
  return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

/** File offsets and sizes; what does not fit into 53 bits lies beyond any file. */
function word64({ bytes, isLittle }: Elf, at: number): number {
  return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
}
