import { range } from "../../../io/domains.js";
import { flagTable } from "../../../io/enums.js";
import { VM_LOCKED } from "../../../linux/mman.js";
import { struct, word } from "../../../schema/struct.js";

const DEF_FLAGS = flagTable("mm_def_flags", { VM_LOCKED: Number(VM_LOCKED) });
const VMA_TYPES = range(0, 10);

/** VMA.vma_type: what a VMA shows. Shared memory that was met before is of the types with Again. */
export const VMA_TYPE = {
  ignored: 0,
  vdso: 1,
  anonymous: 2,
  privateFile: 3,
  sharedAnonymous: 4,
  sharedAnonymousAgain: 5,
  sharedFile: 6,
  sysV: 7,
  sysVAgain: 8,
  hugePages: 9,
  hugePagesAgain: 10,
} as const;

export const MM = struct(
  "MM",
  120,
  "An address space; auxv as a BUFFER, `map_count` mappings and MM_CONTEXT follow",
  {
    map_count: word("u32", 8, { doc: "mappings that follow" }),
    exe_objref: word("s32", 12, { doc: "FILE of the executable" }),
    def_flags: word("u64", 16, { doc: "flags of new VMAs, mlockall(2)", domain: DEF_FLAGS, kept: false }),
    flags: word("u64", 24, { doc: "dumpable flags, prctl(2) PR_SET_DUMPABLE and core(5) filter" }),
    start_code: word("u64", 32, { show: { as: "hex" } }),
    end_code: word("u64", 40, { show: { as: "hex" } }),
    start_data: word("u64", 48, { show: { as: "hex" } }),
    end_data: word("u64", 56, { show: { as: "hex" } }),
    start_brk: word("u64", 64, { show: { as: "hex" } }),
    brk: word("u64", 72, { show: { as: "hex" } }),
    start_stack: word("u64", 80, { show: { as: "hex" } }),
    arg_start: word("u64", 88, { show: { as: "hex" } }),
    arg_end: word("u64", 96, { show: { as: "hex" } }),
    env_start: word("u64", 104, { show: { as: "hex" } }),
    env_end: word("u64", 112, { show: { as: "hex" } }),
  },
);

export const VMA_0ABE2FE = struct("VMA", 72, "VMA as header sets 0abe2fe to b6cdf01 wrote it", {
  vma_type: word("u32", 8, { domain: VMA_TYPES, kept: false }),
  vma_objref: word("s32", 12),
  ino_objref: word("s32", 16),
  _padding: word("u32", 20),
  ino_size: word("u64", 24),
  vm_start: word("u64", 32, { show: { as: "hex" } }),
  vm_end: word("u64", 40, { show: { as: "hex" } }),
  vm_page_prot: word("u64", 48, { show: { as: "hex" } }),
  vm_flags: word("u64", 56, { show: { as: "hex" } }),
  vm_pgoff: word("u64", 64),
});

export const VMA = struct("VMA", 80, "A VMA; pages follow for the types 2, 3 and 4", {
  vma_type: word("u32", 8, {
    doc: "0 ignored, 1 vDSO, 2 anonymous, 3 private file, 4 and 5 shared anonymous (first and later), 6 shared file, 7 and 8 System V, 9 and 10 huge pages",
    domain: VMA_TYPES,
    kept: false,
  }),
  vma_objref: word("s32", 12, { doc: "the mapped FILE" }),
  ino_objref: word("s32", 16, { doc: "shared memory object; not declared by an OBJREF" }),
  _padding: word("u32", 20),
  ino_size: word("u64", 24, { doc: "bytes of the mapped object" }),
  vm_start: word("u64", 32, { show: { as: "hex" } }),
  vm_end: word("u64", 40, { show: { as: "hex" } }),
  vm_page_prot: word("u64", 48, { show: { as: "hex" } }),
  vm_flags: word("u64", 56, { show: { as: "hex" } }),
  vm_pgoff: word("u64", 64, { doc: "offset in pages" }),
  hugetlb_shift: word("u16", 72),
});

export const PGARR = struct(
  "PGARR",
  16,
  "Number of pages in the following BUFFER, first all addresses, then all contents; 0 ends the list",
  {
    nr_pages: word("u64", 8, { doc: "0 ends the list" }),
  },
);

export const HPAGE = struct("HPAGE", 24, "A huge page; the form of its contents is unknown", {
  vaddr: word("u64", 8, { doc: "address, or page index in shared memory" }),
  shift: word("u16", 16, { doc: "log2 of the page size in bytes" }),
});
