import { bytes, struct, word } from "../../schema/struct.js";

/** e_ident[EI_CLASS] and e_ident[EI_DATA], elf(5). */
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;
/** Program header with notes. */
export const PT_NOTE = 4;
/** Type of the note "GNU" that holds the build id. */
export const NT_GNU_BUILD_ID = 3;

/** The part of the header that determines how to read the rest. */
export const ELF_IDENT = struct("e_ident", 16, "Magic, word size and byte order", {
  magic: bytes(0, 4, { doc: "7f 45 4c 46" }),
  class: word("u8", 4, { doc: "1 for 32 bits, 2 for 64" }),
  data: word("u8", 5, { doc: "1 for little-endian, 2 for big-endian" }),
});

export const ELF32_EHDR = struct("Elf32_Ehdr", 52, "Header of a 32-bit file", {
  e_type: word("u16", 16),
  e_machine: word("u16", 18),
  e_phoff: word("u32", 28, { doc: "file offset of the program headers, in bytes" }),
  e_phentsize: word("u16", 42, { doc: "bytes of one program header" }),
  e_phnum: word("u16", 44),
});

export const ELF64_EHDR = struct("Elf64_Ehdr", 64, "Header of a 64-bit file", {
  e_type: word("u16", 16),
  e_machine: word("u16", 18),
  e_phoff: word("u64", 32, { doc: "file offset of the program headers, in bytes" }),
  e_phentsize: word("u16", 54, { doc: "bytes of one program header" }),
  e_phnum: word("u16", 56),
});

export const ELF32_PHDR = struct("Elf32_Phdr", 32, "Program header of a 32-bit file", {
  p_type: word("u32", 0),
  p_offset: word("u32", 4, { doc: "file offset of the segment, in bytes" }),
  p_filesz: word("u32", 16, { doc: "bytes of the segment in the file" }),
});

export const ELF64_PHDR = struct("Elf64_Phdr", 56, "Program header of a 64-bit file", {
  p_type: word("u32", 0),
  p_offset: word("u64", 8, { doc: "file offset of the segment, in bytes" }),
  p_filesz: word("u64", 32, { doc: "bytes of the segment in the file" }),
});

export const ELF_NHDR = struct(
  "Elf_Nhdr",
  12,
  "A note; its name and content follow, each padded to 4 bytes",
  {
    n_namesz: word("u32", 0, { doc: "bytes of the name with its NUL" }),
    n_descsz: word("u32", 4, { doc: "bytes of the content" }),
    n_type: word("u32", 8),
  },
);
