import { message, repeated, required, type Value } from "../../../schema/message.js";

export const CRIU_DMABUF_NODE = message("criu_dmabuf_node", "", {
  gem_handle: required(1, "uint32"),
});
export type CriuDmabufNode = Value<typeof CRIU_DMABUF_NODE>;

export const DEV_IOLINK = message("dev_iolink", "", {
  type: required(1, "uint32"),
  node_to_id: required(2, "uint32"),
});
export type DevIolink = Value<typeof DEV_IOLINK>;

export const KFD_DEVICE_ENTRY = message("kfd_device_entry", "", {
  node_id: required(1, "uint32"),
  gpu_id: required(2, "uint32"),
  cpu_cores_count: required(3, "uint32"),
  simd_count: required(4, "uint32"),
  mem_banks_count: required(5, "uint32"),
  caches_count: required(6, "uint32"),
  io_links_count: required(7, "uint32"),
  max_waves_per_simd: required(8, "uint32"),
  lds_size_in_kb: required(9, "uint32"),
  gds_size_in_kb: required(10, "uint32"),
  num_gws: required(11, "uint32"),
  wave_front_size: required(12, "uint32"),
  array_count: required(13, "uint32"),
  simd_arrays_per_engine: required(14, "uint32"),
  cu_per_simd_array: required(15, "uint32"),
  simd_per_cu: required(16, "uint32"),
  max_slots_scratch_cu: required(17, "uint32"),
  vendor_id: required(18, "uint32"),
  device_id: required(19, "uint32"),
  domain: required(20, "uint32"),
  drm_render_minor: required(21, "uint32"),
  hive_id: required(22, "uint64"),
  num_sdma_engines: required(23, "uint32"),
  num_sdma_xgmi_engines: required(24, "uint32"),
  num_sdma_queues_per_engine: required(25, "uint32"),
  num_cp_queues: required(26, "uint32"),
  fw_version: required(27, "uint32"),
  capability: required(28, "uint32"),
  sdma_fw_version: required(29, "uint32"),
  vram_public: required(30, "uint32"),
  vram_size: required(31, "uint64"),
  iolinks: repeated(32, DEV_IOLINK),
});
export type KfdDeviceEntry = Value<typeof KFD_DEVICE_ENTRY>;

export const KFD_BO_ENTRY = message("kfd_bo_entry", "", {
  addr: required(1, "uint64"),
  size: required(2, "uint64"),
  offset: required(3, "uint64"),
  alloc_flags: required(4, "uint32"),
  gpu_id: required(5, "uint32"),
  handle: required(6, "uint32", { since: "HEAD" }),
});
export type KfdBoEntry = Value<typeof KFD_BO_ENTRY>;

export const CRIU_KFD = message("criu_kfd", "", {
  pid: required(1, "uint32"),
  num_of_gpus: required(2, "uint32"),
  num_of_cpus: required(3, "uint32"),
  device_entries: repeated(4, KFD_DEVICE_ENTRY),
  num_of_bos: required(5, "uint64"),
  bo_entries: repeated(6, KFD_BO_ENTRY),
  num_of_objects: required(7, "uint32"),
  shared_mem_size: required(8, "uint64"),
  shared_mem_magic: required(9, "uint32"),
  priv_data: required(10, "bytes"),
});
export type CriuKfd = Value<typeof CRIU_KFD>;

export const DRM_VM_ENTRY = message("drm_vm_entry", "", {
  addr: required(1, "uint64"),
  size: required(2, "uint64"),
  offset: required(3, "uint64"),
  flags: required(4, "uint64"),
});
export type DrmVmEntry = Value<typeof DRM_VM_ENTRY>;

export const DRM_BO_ENTRY = message("drm_bo_entry", "", {
  addr: required(1, "uint64"),
  size: required(2, "uint64"),
  offset: required(3, "uint64"),
  alloc_flags: required(4, "uint64"),
  alignment: required(5, "uint64"),
  preferred_domains: required(6, "uint32"),
  handle: required(7, "uint32"),
  is_import: required(8, "uint32"),
  num_of_vms: required(9, "uint32"),
  vm_entries: repeated(10, DRM_VM_ENTRY),
});
export type DrmBoEntry = Value<typeof DRM_BO_ENTRY>;

export const CRIU_RENDER_NODE = message("criu_render_node", "", {
  gpu_id: required(1, "uint32"),
  id: required(2, "uint32", { since: "HEAD" }),
  drm_render_minor: required(3, "uint32", { since: "HEAD" }),
  num_of_bos: required(4, "uint64", { since: "HEAD" }),
  bo_entries: repeated(5, DRM_BO_ENTRY, { since: "HEAD" }),
});
export type CriuRenderNode = Value<typeof CRIU_RENDER_NODE>;
