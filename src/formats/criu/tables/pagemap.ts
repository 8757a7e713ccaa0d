import { message, optional, required, type Value } from "../../../schema/message.js";
import { PAGEMAP_FLAGS } from "../names.js";

export const PAGEMAP_ENTRY = message("pagemap_entry", "", {
  vaddr: required(1, "uint64", { show: { as: "hex" } }),
  compat_nr_pages: required(2, "uint32", { deprecated: true }),
  in_parent: optional(3, "bool", { deprecated: true }),
  flags: optional(4, "uint32", { show: { as: "flags", table: PAGEMAP_FLAGS }, since: "3.5" }),
  nr_pages: optional(5, "uint64", { since: "4.2" }),
});
export type PagemapEntry = Value<typeof PAGEMAP_ENTRY>;

export const PAGEMAP_HEAD = message("pagemap_head", "", {
  pages_id: required(1, "uint32"),
});
export type PagemapHead = Value<typeof PAGEMAP_HEAD>;
