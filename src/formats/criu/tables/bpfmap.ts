import { message, optional, required, type Value } from "../../../schema/message.js";
import { OPEN_FLAGS } from "../names.js";
import { FOWN_ENTRY } from "./fown.js";

export const BPFMAP_DATA_ENTRY = message("bpfmap_data_entry", "", {
  map_id: required(1, "uint32"),
  keys_bytes: required(2, "uint32"),
  values_bytes: required(3, "uint32"),
  count: required(4, "uint32"),
});
export type BpfmapDataEntry = Value<typeof BPFMAP_DATA_ENTRY>;

export const BPFMAP_FILE_ENTRY = message("bpfmap_file_entry", "", {
  id: required(1, "uint32"),
  flags: required(2, "uint32", { show: { as: "flags", table: OPEN_FLAGS } }),
  pos: required(3, "uint64"),
  fown: required(4, FOWN_ENTRY),
  map_type: required(5, "uint32"),
  key_size: required(6, "uint32"),
  value_size: required(7, "uint32"),
  map_id: required(8, "uint32"),
  max_entries: required(9, "uint32"),
  map_flags: required(10, "uint32"),
  memlock: required(11, "uint64"),
  frozen: required(12, "bool", { default: false }),
  map_name: required(13, "string"),
  ifindex: required(14, "uint32", { default: 0 }),
  mnt_id: optional(15, "sint32", { default: -1 }),
  map_extra: optional(16, "uint64", { since: "3.17" }),
});
export type BpfmapFileEntry = Value<typeof BPFMAP_FILE_ENTRY>;
