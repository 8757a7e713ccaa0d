import { message, optional, repeated, required, type Value } from "../../../schema/message.js";
import { MMAP_FLAGS, MMAP_PROT, VMA_STATUS } from "../names.js";

export const AIO_RING_ENTRY = message("aio_ring_entry", "", {
  id: required(1, "uint64"),
  nr_req: required(2, "uint32"),
  ring_len: required(3, "uint32"),
});
export type AioRingEntry = Value<typeof AIO_RING_ENTRY>;

export const VMA_ENTRY = message("vma_entry", "", {
  start: required(1, "uint64", { show: { as: "hex" } }),
  end: required(2, "uint64", { show: { as: "hex" } }),
  pgoff: required(3, "uint64"),
  shmid: required(4, "uint64"),
  prot: required(5, "uint32", { show: { as: "flags", table: MMAP_PROT } }),
  flags: required(6, "uint32", { show: { as: "flags", table: MMAP_FLAGS } }),
  status: required(7, "uint32", { show: { as: "flags", table: VMA_STATUS } }),
  fd: required(8, "sint64", { deprecated: true }),
  madv: optional(9, "uint64", { show: { as: "hex" } }),
  fdflags: optional(10, "uint32", { show: { as: "hex" }, since: "1.3-rc1" }),
});
export type VmaEntry = Value<typeof VMA_ENTRY>;

export const MM_ENTRY = message("mm_entry", "", {
  mm_start_code: required(1, "uint64", { show: { as: "hex" } }),
  mm_end_code: required(2, "uint64", { show: { as: "hex" } }),
  mm_start_data: required(3, "uint64", { show: { as: "hex" } }),
  mm_end_data: required(4, "uint64", { show: { as: "hex" } }),
  mm_start_stack: required(5, "uint64", { show: { as: "hex" } }),
  mm_start_brk: required(6, "uint64", { show: { as: "hex" } }),
  mm_brk: required(7, "uint64", { show: { as: "hex" } }),
  mm_arg_start: required(8, "uint64", { show: { as: "hex" } }),
  mm_arg_end: required(9, "uint64", { show: { as: "hex" } }),
  mm_env_start: required(10, "uint64", { show: { as: "hex" } }),
  mm_env_end: required(11, "uint64", { show: { as: "hex" } }),
  exe_file_id: required(12, "uint32"),
  mm_saved_auxv: repeated(13, "uint64"),
  vmas: repeated(14, VMA_ENTRY, { since: "1.2" }),
  dumpable: optional(15, "int32", { since: "1.3-rc2" }),
  aios: repeated(16, AIO_RING_ENTRY, { since: "1.5" }),
  thp_disabled: optional(17, "bool", { since: "3.5" }),
});
export type MmEntry = Value<typeof MM_ENTRY>;
