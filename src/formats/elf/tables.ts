import { bytes, struct, word } from "../../schema/struct.js";

/** The first bytes of every file. */
export const ELF_MAGIC = Buffer.from("\x7fELF", "latin1");
/** e_ident[EI_CLASS] and e_ident[EI_DATA], elf(5). */
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;
/** Program header with a part of memory, and with notes. */
export const PT_LOAD = 1;
export const PT_NOTE = 4;
/** What may be done with memory. */
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;
/** A core file. */
export const ET_CORE = 4;
export const EV_CURRENT = 1;
/** As e_phnum: section header 0 holds the number of program headers. */
export const PN_XNUM = 0xffff;
/** Type of the note "GNU" that holds the build id. */
export const NT_GNU_BUILD_ID = 3;

/** The part of the header that determines how to read the rest. */
export const ELF_IDENT = struct("e_ident", 16, "Magic, word size and byte order", {
  magic: bytes(0, 4, { doc: "7f 45 4c 46" }),
  class: word("u8", 4, { doc: "1 for 32 bits, 2 for 64" }),
  data: word("u8", 5, { doc: "1 for little-endian, 2 for big-endian" }),
  version: word("u8", 6),
});

export const ELF32_EHDR = struct(
  "Elf32_Ehdr",
  52,
  "Header of a 32-bit file, whose first 16 bytes are e_ident",
  {
    e_type: word("u16", 16),
    e_machine: word("u16", 18),
    e_version: word("u32", 20),
    e_phoff: word("u32", 28, { doc: "file offset of the program headers, in bytes" }),
    e_shoff: word("u32", 32, { doc: "file offset of the section headers, in bytes" }),
    e_flags: word("u32", 36, { doc: "of the architecture" }),
    e_ehsize: word("u16", 40),
    e_phentsize: word("u16", 42, { doc: "bytes of one program header" }),
    e_phnum: word("u16", 44),
    e_shentsize: word("u16", 46, { doc: "bytes of one section header" }),
    e_shnum: word("u16", 48),
  },
);

export const ELF64_EHDR = struct(
  "Elf64_Ehdr",
  64,
  "Header of a 64-bit file, whose first 16 bytes are e_ident",
  {
    e_type: word("u16", 16),
    e_machine: word("u16", 18),
    e_version: word("u32", 20),
    e_phoff: word("u64", 32, { doc: "file offset of the program headers, in bytes" }),
    e_shoff: word("u64", 40, { doc: "file offset of the section headers, in bytes" }),
    e_flags: word("u32", 48, { doc: "of the architecture" }),
    e_ehsize: word("u16", 52),
    e_phentsize: word("u16", 54, { doc: "bytes of one program header" }),
    e_phnum: word("u16", 56),
    e_shentsize: word("u16", 58, { doc: "bytes of one section header" }),
    e_shnum: word("u16", 60),
  },
);

export const ELF32_PHDR = struct("Elf32_Phdr", 32, "Program header of a 32-bit file", {
  p_type: word("u32", 0),
  p_offset: word("u32", 4, { doc: "file offset of the segment, in bytes" }),
  p_vaddr: word("u32", 8, { doc: "address" }),
  p_paddr: word("u32", 12, { doc: "physical address; volatility takes it as the address" }),
  p_filesz: word("u32", 16, { doc: "bytes of the segment in the file" }),
  p_memsz: word("u32", 20, { doc: "bytes of the segment in memory" }),
  p_flags: word("u32", 24, { doc: "PF_ bits" }),
  p_align: word("u32", 28),
});

export const ELF64_PHDR = struct("Elf64_Phdr", 56, "Program header of a 64-bit file", {
  p_type: word("u32", 0),
  p_flags: word("u32", 4, { doc: "PF_ bits" }),
  p_offset: word("u64", 8, { doc: "file offset of the segment, in bytes" }),
  p_vaddr: word("u64", 16, { doc: "address" }),
  p_paddr: word("u64", 24, { doc: "physical address; volatility takes it as the address" }),
  p_filesz: word("u64", 32, { doc: "bytes of the segment in the file" }),
  p_memsz: word("u64", 40, { doc: "bytes of the segment in memory" }),
  p_align: word("u64", 48),
});

export const ELF32_SHDR = struct(
  "Elf32_Shdr",
  40,
  "Section header of a 32-bit file, of which a core has one at most",
  {
    sh_info: word("u32", 28, { doc: "number of program headers, where e_phnum is PN_XNUM" }),
  },
);

export const ELF64_SHDR = struct(
  "Elf64_Shdr",
  64,
  "Section header of a 64-bit file, of which a core has one at most",
  {
    sh_info: word("u32", 44, { doc: "number of program headers, where e_phnum is PN_XNUM" }),
  },
);

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
