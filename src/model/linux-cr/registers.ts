import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { addFxsave, X86Registers } from "../x86-registers.js";
import type { StreamReader } from "./reader.js";

/** x86: the bases have the names of the selectors, and what is no register stands among them. */
const X86_NAMES: Readonly<Record<string, string>> = {
  fs: "fs_base",
  gs: "gs_base",
  fsindex: "fs",
  gsindex: "gs",
};
const X86_SELECTORS: ReadonlySet<string> = new Set(["fsindex", "gsindex", "cs", "ss", "ds", "es"]);

/** Integers of the CPU record by the names of the registers; those of arrays have their number behind. */
export function registersOf(reader: StreamReader, part: Part): ReadonlyMap<string, bigint> {
  const registers = new Map<string, bigint>();
  const isX86 = reader.image.dialect.arch.family === "x86";
  const index = reader.index(part, RECORDS.CPU);
  for (const [name, value] of index === undefined ? [] : Object.entries(reader.image.fields(index))) {
    if (isX86 && name === "used_math") continue;
    if (typeof value === "bigint" || typeof value === "number") {
      const isSelector = isX86 && X86_SELECTORS.has(name);
      registers.set(
        isX86 ? (X86_NAMES[name] ?? name) : name,
        BigInt(isSelector ? selector(Number(value)) : value),
      );
    } else if (Array.isArray(value))
      for (const [i, item] of value.entries()) registers.set(`${name}${i}`, BigInt(item as number | bigint));
  }
  if (isX86) for (const [name, value] of vectors(reader, part).entries()) registers.set(name, value);
  return registers;
}

/** XSTATE: components, each behind its number and its size in bytes, both u32. */
function vectors(reader: StreamReader, part: Part): X86Registers {
  const registers = new X86Registers();
  const area = reader.index(part, RECORDS.CPU_FPU);
  if (area !== undefined) addFxsave(registers, reader.image.bytes(area));
  const xstate = reader.index(part, RECORDS.XSTATE);
  const bytes = xstate === undefined ? Buffer.alloc(0) : reader.image.bytes(xstate);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    if (at + 8 + size > bytes.length)
      throw reader.image.error(xstate ?? 0, `a component of ${size} bytes does not fit into the record`);
    registers.addComponent(bytes.readUInt32LE(at), bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return registers;
}

/** Selectors by their codes: none, 32-bit code and data, 64-bit code and data. */
const USER_SELECTORS = [0, 0x23, 0x2b, 0x33, 0x2b] as const;
const IN_TLS = 0x4000;
const IN_LDT = 0x8000;
const FIRST_TLS = 12;
/** Privilege of user code, and the bit that says local descriptor table. */
const USER = 3;
const LOCAL = 4;

/** Segments are stored by what they name, since kernels number them differently; the numbers are those of today's. */
function selector(code: number): number {
  if (code >= IN_LDT) return ((code - IN_LDT) << 3) | LOCAL | USER;
  if (code >= IN_TLS) return ((code - IN_TLS + FIRST_TLS) << 3) | USER;
  return USER_SELECTORS[code] ?? code;
}
