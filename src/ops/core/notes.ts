import type { Note } from "../../formats/elf/core-file.js";
import {
  ELF_PRSTATUS_32,
  ELF_PRSTATUS_64,
  NT_AUXV,
  NT_FILE,
  NT_PRPSINFO,
  NT_PRSTATUS,
  NT_SIGINFO,
  PSARGS_BYTES,
  SIGINFO,
} from "../../formats/elf/core-notes.js";
import { isCrimgError } from "../../io/errors.js";
import { bytesToText, textToBytes } from "../../io/text.js";
import type { Task, Thread } from "../../model/checkpoint.js";
import type { Mapping } from "../../model/mapping.js";
import type { Memory } from "../../model/memory.js";
import { struct, WORD_BYTES, word, words } from "../../schema/struct.js";
import { writeGivenFields } from "../../schema/struct-writer.js";
import type { CoreArchitecture } from "./architectures.js";
import { generalRegisters, registerNotes } from "./register-notes.js";
import { x86Notes } from "./x86-notes.js";

/** All notes of a task in the order of the kernel, fs/binfmt_elf.c: the leader, the process, then the other threads. */
export function* notesOf(architecture: CoreArchitecture, task: Task, memory: Memory): Generator<Note> {
  for (const [i, thread] of task.threads.entries()) {
    yield { owner: "CORE", type: NT_PRSTATUS, content: statusOf(architecture, task, thread) };
    if (i === 0) yield* processNotes(architecture, task, memory);
    const { x86 } = thread;
    if (x86 !== undefined) yield* x86Notes(x86);
    yield* registerNotes(architecture, thread);
  }
}

function statusOf(architecture: CoreArchitecture, task: Task, thread: Thread): Buffer {
  const { wordBytes, byteOrder } = architecture;
  const mask = (bits: bigint) => (wordBytes === 8 ? bits : Number(BigInt.asUintN(32, bits)));
  const signal = task.attributes.stopSignal ?? 0;
  const pending = thread.pending.reduce((bits, each) => bits | (1n << BigInt((each.signal - 1) & 63)), 0n);
  const head = writeGivenFields(
    wordBytes === 8 ? ELF_PRSTATUS_64 : ELF_PRSTATUS_32,
    {
      ...{ si_signo: signal, pr_cursig: signal & 0x7f },
      ...{ pr_sigpend: mask(pending), pr_sighold: mask(BigInt.asUintN(64, thread.blocked)) },
      ...{ pr_pid: thread.tid | 0, ...relativesOf(task) },
    },
    byteOrder,
  );
  const registers = generalRegisters(architecture, thread);
  // pr_fpvalid, which ends at a whole word.
  const used = head.length + registers.length;
  const size = Math.ceil((used + WORD_BYTES.s32) / wordBytes) * wordBytes - used;
  const fpvalid = writeGivenFields(
    struct("pr_fpvalid", size, "", { valid: word("s32", 0) }),
    { valid: 1 },
    byteOrder,
  );
  return Buffer.concat([head, registers, fpvalid]);
}

function relativesOf({ ppid, pgid, sid }: Task) {
  return { pr_ppid: ppid | 0, pr_pgrp: pgid | 0, pr_sid: sid | 0 };
}

function* processNotes(architecture: CoreArchitecture, task: Task, memory: Memory): Generator<Note> {
  const { wordBytes, byteOrder } = architecture;
  yield { owner: "CORE", type: NT_PRPSINFO, content: infoOf(architecture, task, memory) };
  const siginfo = writeGivenFields(SIGINFO, { si_signo: task.attributes.stopSignal ?? 0 }, byteOrder);
  yield { owner: "CORE", type: NT_SIGINFO, content: siginfo };
  const encode = (numbers: readonly bigint[]): Buffer => wordsOf(numbers, wordBytes, byteOrder);
  const auxv = upToEnd(task.mm?.auxv ?? []);
  if (auxv.length > 0) yield { owner: "CORE", type: NT_AUXV, content: encode(auxv) };
  const files = task.mappings.filter(({ kind, file }) => kind !== "guard" && file !== undefined);
  if (files.length > 0)
    yield { owner: "CORE", type: NT_FILE, content: filesOf(files, BigInt(memory.pageSize), encode) };
}

/** The auxiliary vector up to AT_NULL: images hold the whole array of the kernel. */
function upToEnd(auxv: readonly bigint[]): readonly bigint[] {
  const end = auxv.findIndex((type, i) => i % 2 === 0 && type === 0n);
  return end < 0 ? auxv : auxv.slice(0, end + 2);
}

const STATES = "RSDTZW";

function infoOf({ processInfo, byteOrder }: CoreArchitecture, task: Task, memory: Memory): Buffer {
  const [leader] = task.threads;
  const letter = task.state === "stopped" ? "T" : "R";
  const id = (value: number | undefined) => limitedTo(processInfo.fields.pr_uid?.size ?? 4, value ?? 0);
  return writeGivenFields(
    processInfo,
    {
      ...{ pr_state: STATES.indexOf(letter), pr_sname: letter.charCodeAt(0) },
      ...{ pr_nice: limitedNice(leader?.schedule?.nice ?? 0) },
      ...{ pr_uid: id(leader?.credentials?.uid), pr_gid: id(leader?.credentials?.gid) },
      ...{ pr_pid: task.pid | 0, ...relativesOf(task) },
      pr_fname: upTo(task.comm, 15),
      pr_psargs: argumentsOf(task, memory),
    },
    byteOrder,
  );
}

/** Ids of 16 bits show larger ones as the kernel does: overflowuid. */
function limitedTo(size: number, id: number): number {
  const all = id >>> 0;
  return size === 2 && all > 0xffff ? 65_534 : all;
}

function limitedNice(nice: number): number {
  return Math.max(-128, Math.min(127, nice));
}

/** The arguments with blanks between them; without those, that is where their memory is not in the image, the name. */
function argumentsOf(task: Task, memory: Memory): string {
  const { start, end } = task.mm?.argv ?? { start: 0n, end: 0n };
  const size = Number(end - start < PSARGS_BYTES ? end - start : BigInt(PSARGS_BYTES - 1));
  if (size <= 0) return upTo(task.comm, PSARGS_BYTES - 1);
  try {
    const bytes = memory.read(start, size).map((byte) => (byte === 0 ? 0x20 : byte));
    return upTo(bytesToText(Buffer.from(bytes)).trimEnd(), PSARGS_BYTES - 1);
  } catch (error) {
    if (!isCrimgError(error) || error.code !== "MISSING") throw error;
    return upTo(task.comm, PSARGS_BYTES - 1);
  }
}

function upTo(text: string, size: number): string {
  const bytes = textToBytes(text);
  const nul = bytes.indexOf(0);
  return bytesToText(bytes.subarray(0, Math.min(size, nul < 0 ? bytes.length : nul)));
}

/** fs/binfmt_elf.c fill_files_note(): a head, of each mapping start, end and offset in pages, then the names. */
function filesOf(
  mappings: readonly Mapping[],
  pageSize: bigint,
  encode: (numbers: readonly bigint[]) => Buffer,
): Buffer {
  const ranges = mappings.flatMap(({ start, end, offset }) => [start, end, offset / pageSize]);
  const names = mappings.map(({ name }) =>
    Buffer.concat([textToBytes(name.replaceAll("\0", "")), Buffer.alloc(1)]),
  );
  return Buffer.concat([encode([BigInt(mappings.length), pageSize, ...ranges]), ...names]);
}

function wordsOf(
  numbers: readonly bigint[],
  wordBytes: 4 | 8,
  byteOrder: CoreArchitecture["byteOrder"],
): Buffer {
  const type = wordBytes === 8 ? "u64" : "u32";
  const table = struct("words", numbers.length * wordBytes, "", { all: words(type, 0, numbers.length) });
  const all = numbers.map((number) =>
    wordBytes === 8 ? BigInt.asUintN(64, number) : Number(BigInt.asUintN(32, number)),
  );
  return writeGivenFields(table, { all }, byteOrder);
}
