import { message, optional, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const BPFMAP_DATA_ENTRY = message(
  "bpfmap_data_entry",
  "The contents of one bpf map; the bytes of all keys, then of all values, follow the record.",
  {
    map_id: required(1, "uint32", { doc: "id of the map; the same as in bpfmap_file_entry" }),
    keys_bytes: required(2, "uint32", { doc: "bytes of all keys together" }),
    values_bytes: required(3, "uint32", { doc: "bytes of all values together" }),
    count: required(4, "uint32", { doc: "number of elements" }),
  },
);
export type BpfmapDataEntry = Value<typeof BPFMAP_DATA_ENTRY>;

export const BPFMAP_FILE_ENTRY = message(
  "bpfmap_file_entry",
  "An open bpf map, and the parameters to recreate it.",
  {
    id: required(1, "uint32", { doc: "id of the open file" }),
    flags: required(2, "uint32", { show: { as: "flags", table: OPEN_FLAGS } }),
    pos: required(3, "uint64"),
    fown: required(4, FOWN_ENTRY),
    map_type: required(5, "uint32", { doc: "BPF_MAP_TYPE_* of bpf(2)" }),
    key_size: required(6, "uint32", { doc: "bytes of one key" }),
    value_size: required(7, "uint32", { doc: "bytes of one value" }),
    map_id: required(8, "uint32", { doc: "id of the map, under which bpfmap-data.img has its contents" }),
    max_entries: required(9, "uint32"),
    map_flags: required(10, "uint32", { doc: "BPF_F_* flags of creation" }),
    memlock: required(11, "uint64", { doc: "bytes charged to the owner; only information" }),
    frozen: required(12, "bool", {
      doc: "frozen: no longer writable from user space",
      default: false,
    }),
    map_name: required(13, "string"),
    ifindex: required(14, "uint32", {
      doc: "network device that the map is bound to, 0 for none",
      default: 0,
    }),
    mnt_id: optional(15, "sint32", { doc: "mount id, -1 for none", default: -1 }),
    map_extra: optional(16, "uint64", {
      doc: "parameter of some map types, such as hash functions of a bloom filter",
      since: "3.17",
    }),
  },
);
export type BpfmapFileEntry = Value<typeof BPFMAP_FILE_ENTRY>;
