/** The head of a core file: ELF header, program headers and notes, elf(5), core(5). */

import type { ByteOrder } from "../../io/byte-order.js";
import { type FieldValues, writeGivenFields } from "../../schema/struct-writer.js";
import {
  ELF_IDENT,
  ELF_MAGIC,
  ELF_NHDR,
  ELF32_EHDR,
  ELF32_PHDR,
  ELF32_SHDR,
  ELF64_EHDR,
  ELF64_PHDR,
  ELF64_SHDR,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  ET_CORE,
  EV_CURRENT,
  PN_XNUM,
  PT_LOAD,
  PT_NOTE,
} from "./tables.js";

/** What the program was made for. */
export interface Machine {
  /** EM_ of elf.h. */
  readonly machine: number;
  /** e_flags. */
  readonly flags: number;
  readonly wordBytes: 4 | 8;
  readonly byteOrder: ByteOrder;
}

/** A note; `owner` is `CORE` or `LINUX`. */
export interface Note {
  readonly owner: string;
  readonly type: number;
  readonly content: Buffer;
}

/** Memory from `address` on: the bytes of it stand in the file, all of them or none. */
export interface Segment {
  readonly address: bigint;
  readonly size: bigint;
  /** PF_ bits. */
  readonly flags: number;
  readonly hasBytes: boolean;
}

export interface CoreOptions {
  /** Bytes of a page; contents begin at a multiple in the file. */
  readonly pageSize: number;
  /** Whether segments say their address as the physical one too. */
  readonly hasPhysical: boolean;
}

/**
 * All that stands before the contents of the segments, which follow one another. More than 65,534 program headers are
 * counted by a section header. Errors: CrimgError INVALID for an address that the machine does not have.
 */
export function coreHead(
  machine: Machine,
  notes: readonly Note[],
  segments: readonly Segment[],
  { pageSize, hasPhysical }: CoreOptions,
): Buffer[] {
  const { wordBytes, byteOrder } = machine;
  const [header, program, section] =
    wordBytes === 8 ? [ELF64_EHDR, ELF64_PHDR, ELF64_SHDR] : [ELF32_EHDR, ELF32_PHDR, ELF32_SHDR];
  const number = (value: bigint): bigint | number => (wordBytes === 8 ? value : Number(value));
  const count = segments.length + 1;
  const isExtended = count >= PN_XNUM;
  const sectionsAt = header.size + count * program.size;
  const notesAt = sectionsAt + (isExtended ? section.size : 0);
  const noteBytes = Buffer.concat(notes.map((note) => encodeNote(note, byteOrder)));
  const start = align(notesAt + noteBytes.length, pageSize);

  const ehdr = writeGivenFields(
    header,
    {
      ...{ e_type: ET_CORE, e_machine: machine.machine, e_version: EV_CURRENT, e_flags: machine.flags },
      ...{ e_phoff: number(BigInt(header.size)), e_shoff: number(BigInt(isExtended ? sectionsAt : 0)) },
      ...{ e_ehsize: header.size, e_phentsize: program.size, e_phnum: isExtended ? PN_XNUM : count },
      ...{ e_shentsize: section.size, e_shnum: isExtended ? 1 : 0 },
    },
    byteOrder,
  );
  identOf(machine).copy(ehdr);
  const row = (fields: FieldValues): Buffer => writeGivenFields(program, fields, byteOrder);
  const rows = [
    row({
      ...{ p_type: PT_NOTE, p_offset: number(BigInt(notesAt)), p_filesz: number(BigInt(noteBytes.length)) },
      p_align: number(BigInt(NOTE_ALIGN)),
    }),
  ];
  let at = BigInt(start);
  for (const { address, size, flags, hasBytes } of segments) {
    rows.push(
      row({
        ...{ p_type: PT_LOAD, p_flags: flags, p_offset: number(at), p_vaddr: number(address) },
        ...{ p_paddr: number(hasPhysical ? address : 0n), p_filesz: number(hasBytes ? size : 0n) },
        ...{ p_memsz: number(size), p_align: number(BigInt(pageSize)) },
      }),
    );
    if (hasBytes) at += size;
  }
  const sections = isExtended ? [writeGivenFields(section, { sh_info: count }, byteOrder)] : [];
  const padding = Buffer.alloc(start - notesAt - noteBytes.length);
  return [ehdr, Buffer.concat(rows), ...sections, noteBytes, padding];
}

function identOf({ wordBytes, byteOrder }: Machine): Buffer {
  return writeGivenFields(
    ELF_IDENT,
    {
      ...{ magic: ELF_MAGIC, class: wordBytes === 8 ? ELFCLASS64 : ELFCLASS32 },
      ...{ data: byteOrder === "little-endian" ? ELFDATA2LSB : ELFDATA2MSB, version: EV_CURRENT },
    },
    byteOrder,
  );
}

const NOTE_ALIGN = 4;

function encodeNote({ owner, type, content }: Note, byteOrder: ByteOrder): Buffer {
  const name = Buffer.from(`${owner}\0`, "latin1");
  const head = { n_namesz: name.length, n_descsz: content.length, n_type: type };
  return Buffer.concat([writeGivenFields(ELF_NHDR, head, byteOrder), padded(name), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], align(bytes.length, NOTE_ALIGN));
}

function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
