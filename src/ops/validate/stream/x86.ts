import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { hex } from "../../../io/hex.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

type Cpu = RecordValue<typeof RECORDS.CPU>;

/** Codes of the kernel's own segments: code and data of 32 and of 64 bits. */
const MAX_FIXED = 4;
const TLS = 0x4000;
const TLS_SLOTS = 3;
const LDT = 0x8000;
const MAX_LDT = 0x1fff;
const SEGMENTS = ["cs", "ss", "ds", "es", "fsindex", "gsindex"] as const;
/** CF, PF, AF, ZF, SF, TF, DF, OF, NT, RF, AC and ID, which programs may have in any state. */
const FREE_FLAGS =
  0x1n |
  0x4n |
  0x10n |
  0x40n |
  0x80n |
  0x100n |
  0x400n |
  0x800n |
  0x4000n |
  0x1_0000n |
  0x4_0000n |
  0x20_0000n;
/** IF and the bit that is always set. */
const FIXED_FLAGS = 0x202n;
const DESCRIPTOR_BYTES = 8;
/** TIF_SECCOMP and TIF_IO_BITMAP */
const REFUSED_THREAD_FLAGS = (1 << 8) | (1 << 22);

/** Rules about the registers of x86, which hold for no other architecture. */
export const x86Rules: readonly Rule<StreamContext>[] = [
  cpuRule(
    {
      id: "CPU_SEGMENT",
      level: "error",
      about: "A segment is stored as one of the codes of the format, and the code segment is there.",
      fix: SET_FIELD,
    },
    function* (cpu) {
      for (const field of SEGMENTS) {
        const code = cpu[field];
        if (code === undefined) continue;
        if (!isSegment(code))
          yield {
            field,
            what: "no code of a segment",
            expected: "0 to 4, 0x4000 to 0x4002, 0x8000 to 0x9fff",
            found: hex(code),
          };
      }
      if (cpu.cs === 0) yield { field: "cs", what: "no code segment", expected: "1 or 3", found: "0" };
    },
  ),
  cpuRule(
    {
      id: "CPU_FLAGS",
      level: "error",
      about: "The processor flags are those of a program: interrupts on, no privileges.",
      fix: SET_FIELD,
    },
    function* ({ flags }) {
      if (flags !== undefined && (BigInt(flags) & ~FREE_FLAGS) !== FIXED_FLAGS)
        yield {
          field: "flags",
          what: "flags that no program has",
          expected: `${hex(FIXED_FLAGS)} beside those that programs set`,
          found: hex(flags),
        };
    },
  ),
  cpuRule(
    {
      id: "CPU_BASE",
      level: "error",
      about: "The base of fs or gs is stored only where no segment is named.",
      fix: SET_FIELD,
    },
    function* (cpu) {
      for (const [base, index] of [
        ["fs", "fsindex"],
        ["gs", "gsindex"],
      ] as const)
        if (cpu[index] !== undefined && cpu[index] !== 0 && (cpu[base] ?? 0n) !== 0n)
          yield {
            field: base,
            what: "a base beside a segment",
            expected: "0",
            found: hex(cpu[base] as bigint),
          };
    },
  ),
  recordRule(
    RECORDS.CPU_FPU,
    {
      id: "FPU_LENGTH",
      level: "error",
      about: "The floating point state has the size that HEADER_ARCH gives.",
      fix: AGAIN,
    },
    function* (_, index, context) {
      const head = context.each(RECORDS.HEADER_ARCH).next().value?.value as
        | { readonly xstate_size?: number }
        | undefined;
      const { size } = context.stream.payload(index);
      if (head?.xstate_size !== undefined && size !== head.xstate_size)
        yield {
          what: "a state of another size",
          expected: `${head.xstate_size} bytes`,
          found: `${size} bytes`,
        };
    },
  ),
  recordRule(
    RECORDS.THREAD,
    {
      id: "THREAD_TLS",
      level: "error",
      about:
        "The descriptors of thread areas are empty or those of data of a program, and no flag asks for seccomp or an I/O bitmap.",
      fix: SET_FIELD,
    },
    function* ({ thread_info_flags: flags }, index, { stream }) {
      if (stream.dialect.arch.family !== "x86") return;
      if (flags !== undefined && (Number(BigInt.asUintN(32, BigInt(flags))) & REFUSED_THREAD_FLAGS) !== 0)
        yield { field: "thread_info_flags", what: "flags that a restart refuses", found: hex(flags) };
      const bytes = stream.bytes(index);
      for (let at = 0; at + DESCRIPTOR_BYTES <= bytes.length; at += DESCRIPTOR_BYTES) {
        const descriptor = bytes.readBigUInt64LE(at);
        if (descriptor === 0n || isUserDescriptor(descriptor)) continue;
        yield {
          field: `tls[${at / DESCRIPTOR_BYTES}]`,
          what: "no descriptor of a thread area",
          expected: "0, or data of a program",
          found: hex(descriptor),
        };
      }
    },
  ),
  recordRule(
    RECORDS.MM_CONTEXT,
    {
      id: "LDT_LENGTH",
      level: "error",
      about: "The local descriptor table has as many entries of 8 bytes as MM_CONTEXT says.",
      fix: SET_FIELD,
    },
    function* ({ nldt, ldt_entry_size: entry }, index, { stream }) {
      if (nldt === undefined || entry === undefined || stream.dialect.arch.family !== "x86") return;
      if (entry !== DESCRIPTOR_BYTES)
        yield {
          field: "ldt_entry_size",
          right: DESCRIPTOR_BYTES,
          what: "entries of another size",
          expected: String(DESCRIPTOR_BYTES),
          found: String(entry),
        };
      else if (
        stream.kind(index + 1) === RECORDS.MM_CONTEXT_LDT &&
        stream.payload(index + 1).size !== nldt * entry
      )
        yield {
          field: "nldt",
          what: "a table of another size",
          expected: `${nldt * entry} bytes`,
          found: `${stream.payload(index + 1).size} bytes`,
        };
    },
  ),
];

function cpuRule(
  facts: Parameters<typeof recordRule>[1],
  check: (cpu: Cpu) => Iterable<{ field: string; what: string; expected?: string; found?: string }>,
): Rule<StreamContext> {
  return recordRule(RECORDS.CPU, facts, function* (cpu, _, { stream }) {
    if (stream.dialect.arch.family === "x86") yield* check(cpu);
  });
}

function isSegment(code: number): boolean {
  if (code <= MAX_FIXED) return true;
  if (code >= LDT) return code - LDT <= MAX_LDT;
  return code >= TLS && code < TLS + TLS_SLOTS;
}

/** Bits l = 0, s = 1, dpl = 3. */
function isUserDescriptor(descriptor: bigint): boolean {
  return ((descriptor >> 53n) & 1n) === 0n && ((descriptor >> 44n) & 7n) === 7n;
}
