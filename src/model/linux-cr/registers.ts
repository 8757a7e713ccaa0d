import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { XSTATE_COMPONENT } from "../../formats/linux-cr/tables/extensions-tasks.js";
import { wordBytes } from "../../io/words.js";
import {
  type ExtendedState,
  FXSAVE_BYTES,
  initialFxsave,
  registerNames,
  TLS_ENTRIES,
  TLS_MIN,
  type X86State,
} from "../x86-registers.js";
import type { StreamReader } from "./reader.js";

/** Fields of CPU that have other names than the registers in them: the bases have those of the selectors. */
const NAMES: Readonly<Record<string, string>> = {
  fs: "fs_base",
  gs: "gs_base",
  fsindex: "fs",
  gsindex: "gs",
};
const FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).map(([field, name]) => [name, field]),
);
const SELECTORS: ReadonlySet<string> = new Set(["fs", "gs", "cs", "ss", "ds", "es"]);

/** Registers by name, of whichever architecture the stream is. */
export function registersOf(reader: StreamReader, part: Part): ReadonlyMap<string, bigint> {
  return reader.image.dialect.arch.family === "x86"
    ? registerNames(decodeRegisters(reader, part))
    : integersOf(reader, part);
}

/** Integers of the CPU record; those of arrays have their number behind. */
function integersOf(reader: StreamReader, part: Part): Map<string, bigint> {
  const integers = new Map<string, bigint>();
  const index = reader.index(part, RECORDS.CPU);
  for (const [name, value] of index === undefined ? [] : Object.entries(reader.image.fields(index)))
    if (typeof value === "bigint" || typeof value === "number") integers.set(name, BigInt(value));
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) integers.set(`${name}${i}`, BigInt(item as number | bigint));
  return integers;
}

/** CPU, CPU_FPU, THREAD and XSTATE of a thread of x86. Errors: FormatError for a component that does not fit into the record. */
export function decodeRegisters(reader: StreamReader, part: Part): X86State {
  const general = new Map<string, bigint>();
  let isCompat = false;
  for (const [field, value] of integersOf(reader, part)) {
    if (field === "used_math") continue;
    const name = NAMES[field] ?? field;
    general.set(name, SELECTORS.has(name) ? BigInt(decodeSelector(Number(value))) : value);
    if (field === "cs") isCompat = Number(value) === USER32_CODE;
  }
  return {
    general,
    isCompat,
    extended: decodeExtended(reader, part),
    descriptors: descriptorsOf(reader, part),
  };
}

/** The segments of set_thread_area(2). */
function descriptorsOf(reader: StreamReader, part: Part): bigint[] {
  const index = reader.index(part, RECORDS.THREAD);
  const bytes = index === undefined ? Buffer.alloc(0) : reader.image.bytes(index);
  return Array.from({ length: TLS_ENTRIES }, (_, i) =>
    i * 8 + 8 <= bytes.length ? bytes.readBigUInt64LE(i * 8) : 0n,
  );
}

const YMM = 2;
const YMM_AT = 576;
const YMM_BYTES = 256;

/** From our XSTATE, or the standard XSAVE area that kernels of the time stored. */
function decodeExtended(reader: StreamReader, part: Part): ExtendedState {
  const index = reader.index(part, RECORDS.CPU_FPU);
  const stored = index === undefined ? Buffer.alloc(0) : reader.image.bytes(index);
  const area = stored.length >= FXSAVE_BYTES ? stored : initialFxsave();
  const fxsave = area.subarray(0, FXSAVE_BYTES);
  const found = reader.find(part, RECORDS.XSTATE);
  const components = new Map<number, Buffer>();
  if (found === undefined) {
    if (area.length < YMM_AT + YMM_BYTES) return { fxsave, inUse: undefined, components };
    components.set(YMM, area.subarray(YMM_AT, YMM_AT + YMM_BYTES));
    return { fxsave, inUse: area.readBigUInt64LE(FXSAVE_BYTES), components };
  }
  const bytes = reader.image.bytes(found.index);
  for (let at = 0, i = 0; i < found.value.nr_components; i++) {
    const from = at + XSTATE_COMPONENT.size;
    at = from > bytes.length ? Number.NaN : from + bytes.readUInt32LE(from - 4);
    if (!(at <= bytes.length))
      throw reader.image.error(
        found.index,
        `component ${i} of the processor's state does not fit into the record`,
      );
    components.set(bytes.readUInt32LE(from - 8), bytes.subarray(from, at));
  }
  return { fxsave, inUse: found.value.xstate_bv, components };
}

/** The fields of CPU, and the names of selectors that a stream has no code for. */
export function encodeRegisters(general: X86State["general"], isCompat: boolean) {
  const unknown: string[] = [];
  const fields: Record<string, number | bigint> = { used_math: 1 };
  for (const [name, value] of general) {
    const field = FIELDS.get(name) ?? name;
    if (SELECTORS.has(name)) {
      const code = encodeSelector(Number(value), isCompat);
      if (code === undefined) unknown.push(name);
      fields[field] = code ?? 0;
    } else fields[field] = value;
  }
  // A base is stored only where no segment is named.
  for (const name of ["fs", "gs"]) if (general.get(name) !== 0n) fields[name] = 0n;
  return { fields, unknown };
}

const TIF_IA32 = 1 << 17;

/** The fields of THREAD and the descriptors behind them. */
export function encodeThreadArea({ isCompat, descriptors }: Pick<X86State, "isCompat" | "descriptors">) {
  const all = Array.from({ length: TLS_ENTRIES }, (_, i) => descriptors[i] ?? 0n);
  return {
    fields: { thread_info_flags: isCompat ? TIF_IA32 : 0, gdt_entry_tls_entries: TLS_ENTRIES },
    payload: wordBytes("u64", all, "segment descriptor"),
  };
}

/** XSTATE: what FXSAVE has no place for; undefined where there is nothing of it. */
export function encodeExtended({ inUse, components }: ExtendedState) {
  if (inUse === undefined) return undefined;
  const parts = [...components].flatMap(([component, bytes]) => [
    wordBytes("u32", [component, bytes.length], "head of a component"),
    bytes,
  ]);
  return {
    fields: { xstate_bv: inUse, nr_components: components.size } satisfies Partial<
      RecordValue<typeof RECORDS.XSTATE>
    >,
    payload: Buffer.concat(parts),
  };
}

/**
 * Segments are stored by what they name, since kernels number them differently: none, 32-bit code and data, 64-bit code
 * and data. Of today's numbers the data segment is the same for both.
 */
const USER_SEGMENTS = [0, 0x23, 0x2b, 0x33, 0x2b] as const;
const USER32_CODE = 1;
const IN_TLS = 0x4000;
const IN_LDT = 0x8000;
/** Privilege of user code, and the bit that says local descriptor table. */
const USER = 3;
const LOCAL = 4;

function decodeSelector(code: number): number {
  if (code >= IN_LDT) return ((code - IN_LDT) << 3) | LOCAL | USER;
  if (code >= IN_TLS) return ((code - IN_TLS + TLS_MIN) << 3) | USER;
  return USER_SEGMENTS[code] ?? code;
}

function encodeSelector(selector: number, isCompat: boolean): number | undefined {
  const fixed = isCompat ? USER_SEGMENTS.indexOf(selector as 0) : USER_SEGMENTS.lastIndexOf(selector as 0);
  if (fixed >= 0) return fixed;
  const entry = selector >> 3;
  if ((selector & LOCAL) !== 0) return IN_LDT + entry;
  const slot = entry - TLS_MIN;
  return slot >= 0 && slot < TLS_ENTRIES ? IN_TLS + slot : undefined;
}
