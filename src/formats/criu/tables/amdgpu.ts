import { message, repeated, required, type Value } from "../../../schema/message.js";

export const CRIU_DMABUF_NODE = message(
  "criu_dmabuf_node",
  "A dma-buf found by the AMD GPU plugin, by the handle of its buffer.",
  {
    gem_handle: required(1, "uint32", { doc: "handle of the buffer object in the render node" }),
  },
);
export type CriuDmabufNode = Value<typeof CRIU_DMABUF_NODE>;

export const DEV_IOLINK = message(
  "dev_iolink",
  "One link of a GPU or CPU node of the AMD topology to another.",
  {
    type: required(1, "uint32", { doc: "kind of the link, as in the kernel's topology in sysfs" }),
    node_to_id: required(2, "uint32", { doc: "node_id of the other end" }),
  },
);
export type DevIolink = Value<typeof DEV_IOLINK>;

export const KFD_DEVICE_ENTRY = message(
  "kfd_device_entry",
  "One node (GPU, or CPU with gpu_id 0) of the AMD topology, so that a restore can find a matching one.",
  {
    node_id: required(1, "uint32", { doc: "number of the node in the kernel's topology" }),
    gpu_id: required(2, "uint32", { doc: "id of the GPU at the dump; 0 for a CPU" }),
    cpu_cores_count: required(3, "uint32"),
    simd_count: required(4, "uint32"),
    mem_banks_count: required(5, "uint32"),
    caches_count: required(6, "uint32"),
    io_links_count: required(7, "uint32"),
    max_waves_per_simd: required(8, "uint32"),
    lds_size_in_kb: required(9, "uint32", { doc: "local data share, in KiB" }),
    gds_size_in_kb: required(10, "uint32", { doc: "global data share, in KiB" }),
    num_gws: required(11, "uint32"),
    wave_front_size: required(12, "uint32"),
    array_count: required(13, "uint32"),
    simd_arrays_per_engine: required(14, "uint32"),
    cu_per_simd_array: required(15, "uint32"),
    simd_per_cu: required(16, "uint32"),
    max_slots_scratch_cu: required(17, "uint32"),
    vendor_id: required(18, "uint32"),
    device_id: required(19, "uint32"),
    domain: required(20, "uint32", { doc: "PCI domain" }),
    drm_render_minor: required(21, "uint32", { doc: "minor number of /dev/dri/renderD<minor>" }),
    hive_id: required(22, "uint64", { doc: "GPUs of one hive are linked by XGMI" }),
    num_sdma_engines: required(23, "uint32"),
    num_sdma_xgmi_engines: required(24, "uint32"),
    num_sdma_queues_per_engine: required(25, "uint32"),
    num_cp_queues: required(26, "uint32"),
    fw_version: required(27, "uint32"),
    capability: required(28, "uint32"),
    sdma_fw_version: required(29, "uint32"),
    vram_public: required(30, "uint32", { doc: "1 when all video memory can be mapped by the CPU" }),
    vram_size: required(31, "uint64", { doc: "video memory in bytes" }),
    iolinks: repeated(32, DEV_IOLINK),
  },
);
export type KfdDeviceEntry = Value<typeof KFD_DEVICE_ENTRY>;

export const KFD_BO_ENTRY = message("kfd_bo_entry", "One buffer object of the compute driver.", {
  addr: required(1, "uint64", { doc: "address in the GPU's address space" }),
  size: required(2, "uint64", { doc: "bytes" }),
  offset: required(3, "uint64", { doc: "offset for mmap(2) of the device file" }),
  alloc_flags: required(4, "uint32"),
  gpu_id: required(5, "uint32", { doc: "its GPU, by the id at the dump" }),
  handle: required(6, "uint32", { doc: "handle of the buffer object in the render node", since: "criu-dev" }),
});
export type KfdBoEntry = Value<typeof KFD_BO_ENTRY>;

export const CRIU_KFD = message(
  "criu_kfd",
  "State of one open /dev/kfd: topology, buffers and private data of the driver.",
  {
    pid: required(1, "uint32", { doc: "pid of the task that had it open" }),
    num_of_gpus: required(2, "uint32"),
    num_of_cpus: required(3, "uint32"),
    device_entries: repeated(4, KFD_DEVICE_ENTRY),
    num_of_bos: required(5, "uint64"),
    bo_entries: repeated(6, KFD_BO_ENTRY),
    num_of_objects: required(7, "uint32", { doc: "queues, events and other objects in priv_data" }),
    shared_mem_size: required(8, "uint64", {
      doc: "bytes of the shared memory that the compute library keeps in /dev/shm",
    }),
    shared_mem_magic: required(9, "uint32", { doc: "first word of that shared memory" }),
    priv_data: required(10, "bytes", { doc: "private state of the driver; opaque" }),
  },
);
export type CriuKfd = Value<typeof CRIU_KFD>;

export const DRM_VM_ENTRY = message(
  "drm_vm_entry",
  "One mapping of a buffer object into a GPU address space.",
  {
    addr: required(1, "uint64", { doc: "address in the GPU's address space" }),
    size: required(2, "uint64", { doc: "bytes" }),
    offset: required(3, "uint64", { doc: "offset in the buffer object" }),
    flags: required(4, "uint64", { doc: "AMDGPU_VM_* flags of the mapping" }),
  },
);
export type DrmVmEntry = Value<typeof DRM_VM_ENTRY>;

export const DRM_BO_ENTRY = message("drm_bo_entry", "One buffer object of an open render node.", {
  addr: required(1, "uint64", { doc: "address in the GPU's address space" }),
  size: required(2, "uint64", { doc: "bytes" }),
  offset: required(3, "uint64", { doc: "offset for mmap(2) of the device file" }),
  alloc_flags: required(4, "uint64", { doc: "AMDGPU_GEM_CREATE_* flags" }),
  alignment: required(5, "uint64", { doc: "bytes" }),
  preferred_domains: required(6, "uint32", { doc: "preferred AMDGPU_GEM_DOMAIN_*" }),
  handle: required(7, "uint32"),
  is_import: required(8, "uint32", { doc: "1 if imported as a dma-buf of another device" }),
  num_of_vms: required(9, "uint32"),
  vm_entries: repeated(10, DRM_VM_ENTRY),
});
export type DrmBoEntry = Value<typeof DRM_BO_ENTRY>;

export const CRIU_RENDER_NODE = message("criu_render_node", "State of one open /dev/dri/renderD*.", {
  gpu_id: required(1, "uint32", { doc: "GPU of the node, by the id at the dump" }),
  id: required(2, "uint32", { doc: "id of the open file in files.img", since: "criu-dev" }),
  drm_render_minor: required(3, "uint32", { doc: "minor number of the device file", since: "criu-dev" }),
  num_of_bos: required(4, "uint64", { since: "criu-dev" }),
  bo_entries: repeated(5, DRM_BO_ENTRY, { since: "criu-dev" }),
});
export type CriuRenderNode = Value<typeof CRIU_RENDER_NODE>;
