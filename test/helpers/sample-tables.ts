import { enumTable, flagTable } from "../../src/io/enums.js";
import { message, optional, repeated, required } from "../../src/schema/message.js";

export const COLOR = enumTable("color", { RED: 0, GREEN: 1, BLUE: 5 });
export const BITS = flagTable("bits", { A: 1, B: 2, HIGH: 0x80000000 }, { OURS: 0x10 });
export const STATE = enumTable("state", { alive: 1, zombie: 2, odd: 9 }, { Alive: 1, Zombie: 9 });

/** A message with a field of every shape. */
export const INNER = message("inner", "", {
  id: required(1, "uint32"),
  name: optional(2, "string"),
  notes: repeated(3, "string"),
});
export const SAMPLE = message("sample", "", {
  u32: optional(1, "uint32"),
  u64: optional(2, "uint64"),
  i32: optional(3, "int32"),
  i64: optional(4, "int64"),
  s32: optional(5, "sint32"),
  s64: optional(6, "sint64"),
  f64: optional(7, "fixed64"),
  flag: optional(8, "bool"),
  text: optional(9, "string"),
  data: optional(10, "bytes"),
  color: optional(11, COLOR),
  one: optional(12, INNER),
  many: repeated(13, INNER),
  numbers: repeated(14, "uint32"),
  colors: repeated(16, COLOR),
  texts: repeated(17, "string"),
  hex: optional(18, "uint64", { show: { as: "hex" } }),
  mask: optional(19, "uint32", { show: { as: "flags", table: BITS } }),
  state: optional(20, "uint32", { show: { as: "names", table: STATE } }),
  address: repeated(21, "uint32", { show: { as: "ip" } }),
  dev: optional(22, "uint32", { show: { as: "dev" } }),
  odev: optional(23, "uint64", { show: { as: "odev" } }),
  unix: optional(24, "bytes", { show: { as: "unix-name" } }),
  hex_inside: optional(25, INNER, { show: { as: "hex" } }),
  tree: optional(26, "self"),
});
