import { MAX_MAPPINGS } from "../../../io/limits.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { MMAP_FLAGS, MMAP_PROT, VMA_STATUS } from "../names.js";

export const AIO_RING_ENTRY = message("aio_ring_entry", "A context of asynchronous I/O, io_setup(2).", {
  id: required(1, "uint64", { doc: "address of its ring, a mapping of the task" }),
  nr_req: required(2, "uint32", { doc: "maximum number of requests" }),
  ring_len: required(3, "uint32", { doc: "bytes of the ring" }),
});
export type AioRingEntry = Value<typeof AIO_RING_ENTRY>;

export const VMA_ENTRY = message("vma_entry", "One mapping of a task's address space.", {
  start: required(1, "uint64", { doc: "first address", show: { as: "hex" } }),
  end: required(2, "uint64", { doc: "end address (exclusive)", show: { as: "hex" } }),
  pgoff: required(3, "uint64", { doc: "offset in the file or segment, in bytes" }),
  shmid: required(4, "uint64", {
    doc: "mapped object, by status: id of a regular file, memory file or packet socket, or of a shared segment; 0 for private memory",
  }),
  prot: required(5, "uint32", { doc: "protection", show: { as: "flags", table: MMAP_PROT } }),
  flags: required(6, "uint32", { doc: "as given to mmap(2)", show: { as: "flags", table: MMAP_FLAGS } }),
  status: required(7, "uint32", {
    doc: "criu's flags of the mapping; determine the meaning of shmid",
    show: { as: "flags", table: VMA_STATUS },
  }),
  fd: required(8, "sint64", { doc: "always -1 in stored mappings", deprecated: true }),
  madv: optional(9, "uint64", {
    doc: "advice in force: bit n is advice n of madvise(2)",
    show: { as: "hex" },
  }),
  fdflags: optional(10, "uint32", {
    doc: "open flags for mapping the file again",
    show: { as: "hex" },
    since: "1.3-rc1",
  }),
});
export type VmaEntry = Value<typeof VMA_ENTRY>;

export const MM_ENTRY = message(
  "mm_entry",
  "Address space of a task: its boundaries, auxiliary vector and mappings.",
  {
    mm_start_code: required(1, "uint64", {
      doc: "boundaries as in proc_pid_stat(5), set by prctl(2) PR_SET_MM",
      show: { as: "hex" },
    }),
    mm_end_code: required(2, "uint64", { show: { as: "hex" } }),
    mm_start_data: required(3, "uint64", { show: { as: "hex" } }),
    mm_end_data: required(4, "uint64", { show: { as: "hex" } }),
    mm_start_stack: required(5, "uint64", { show: { as: "hex" } }),
    mm_start_brk: required(6, "uint64", { doc: "start of the heap", show: { as: "hex" } }),
    mm_brk: required(7, "uint64", { doc: "end of the heap", show: { as: "hex" } }),
    mm_arg_start: required(8, "uint64", { doc: "first byte of the command line", show: { as: "hex" } }),
    mm_arg_end: required(9, "uint64", {
      doc: "end of the command line (exclusive)",
      show: { as: "hex" },
    }),
    mm_env_start: required(10, "uint64", { doc: "first byte of the environment", show: { as: "hex" } }),
    mm_env_end: required(11, "uint64", {
      doc: "end of the environment (exclusive)",
      show: { as: "hex" },
    }),
    exe_file_id: required(12, "uint32", { doc: "id of the open file for the executable" }),
    mm_saved_auxv: repeated(13, "uint64", {
      doc: "auxiliary vector: pairs of type and value up to type 0, getauxval(3)",
    }),
    vmas: repeated(14, VMA_ENTRY, {
      doc: "ascending and disjoint; guard areas come after all others and are inside of them",
      since: "1.2",
      most: MAX_MAPPINGS,
    }),
    dumpable: optional(15, "int32", {
      doc: "0 no core dumps, 1 enabled, 2 readable only by root",
      since: "1.3-rc2",
    }),
    aios: repeated(16, AIO_RING_ENTRY, { since: "1.5" }),
    thp_disabled: optional(17, "bool", { doc: "no transparent huge pages, prctl(2)", since: "3.5" }),
  },
);
export type MmEntry = Value<typeof MM_ENTRY>;
