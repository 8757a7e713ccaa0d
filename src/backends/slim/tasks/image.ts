import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { ARCHITECTURES } from "../../../formats/linux-cr/revisions.js";
import { XSTATE_COMPONENT } from "../../../formats/linux-cr/tables/extensions-tasks.js";
import { UnsupportedError } from "../../../io/errors.js";
import { EXIT_ZOMBIE, TASK_STOPPED } from "../../../linux/sched.js";
import type { Credentials } from "../../../model/credentials.js";
import { type TaskIds, taskIds } from "../../../model/linux-cr/pids.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { CKPT_SIGINFO_BYTES, fromCkptSiginfo } from "../../../model/linux-cr/siginfo.js";
import { linuxCrThread } from "../../../model/linux-cr/threads.js";
import { Registers } from "../ptrace/registers.js";
import { FXSAVE_BYTES, type Register } from "../sys/abi-x64.js";
import type { Xsave } from "../sys/xsave.js";

/** x87 and SSE in use: all that an FXSAVE area can hold. */
const LEGACY_STATE = 3n;
const SIGACTION_BYTES = 32;

/** One thread as the image has it. */
export interface ImageThread {
  readonly tid: number;
  readonly comm: string;
  readonly task: RecordValue<typeof RECORDS.TASK>;
  readonly registers: Registers;
  /** CPU.cs: a code for the mode that the thread runs in. */
  readonly codeSelector: number;
  readonly xsave: Xsave;
  readonly blocked: Buffer;
  /** struct siginfo each, 128 bytes. */
  readonly pending: readonly Buffer[];
  readonly restartBlock: RecordValue<typeof RECORDS.RESTART_BLOCK>;
  readonly rseq: RecordValue<typeof RECORDS.RSEQ> | undefined;
  readonly extra: RecordValue<typeof RECORDS.TASK_EXTRA> | undefined;
  readonly credentials: Credentials;
}

/** A process as the image has it: what belongs to all its threads. */
export interface ImageProcess {
  readonly ids: TaskIds;
  readonly comm: string;
  /** As wait(2) gives it; undefined for one that lives. */
  readonly exitStatus: number | undefined;
  readonly isStopped: boolean;
  /** Signal that the parent gets when it ends. */
  readonly exitSignal: number;
  /** The leader first. Empty for a zombie. */
  readonly threads: readonly ImageThread[];
  readonly objects: RecordValue<typeof RECORDS.TASK_OBJS> | undefined;
  readonly signal: RecordValue<typeof RECORDS.SIGNAL> | undefined;
  /** Queued for the whole process. */
  readonly pending: readonly Buffer[];
  readonly actions: readonly Buffer[];
  readonly timers: readonly RecordValue<typeof RECORDS.POSIX_TIMER>[];
}

/**
 * The processes of an image, parents first. Errors: UnsupportedError for tasks of another machine than x86-64, whose
 * records have other fields; FormatError for a damaged image.
 */
export function imageProcesses(reader: StreamReader): ImageProcess[] {
  const { arch } = reader.image.dialect;
  if (arch !== ARCHITECTURES.X86_64)
    throw new UnsupportedError(`the slim backend restores x86-64 tasks; these are ${arch.name}`, {
      file: reader.image.name,
    });
  const ids = taskIds(reader);
  const rows = reader.tree.tasks.map((part, i) => ({ part, ids: ids[i] as TaskIds }));
  return rows
    .filter((row) => row.ids.pid === row.ids.tgid)
    .map((leader) => {
      const others = rows.filter((row) => row.ids.tgid === leader.ids.pid && row !== leader);
      return processOf(reader, leader.part, leader.ids, [leader, ...others]);
    });
}

function processOf(
  reader: StreamReader,
  part: Part,
  ids: TaskIds,
  rows: readonly { readonly part: Part; readonly ids: TaskIds }[],
): ImageProcess {
  const task = reader.get(part, RECORDS.TASK).value;
  const isZombie = task.exit_state === EXIT_ZOMBIE;
  const objects = reader.find(part, RECORDS.TASK_OBJS)?.value;
  const sighand = objects && reader.object(objects.sighand_objref, "SIGHAND");
  const shared = reader.index(part, RECORDS.SIGPENDING);
  return {
    ids,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    exitStatus: isZombie ? task.exit_code : undefined,
    isStopped: task.state === TASK_STOPPED,
    exitSignal: task.exit_signal,
    threads: isZombie ? [] : rows.map((row) => threadOf(reader, row.part, row.ids.pid)),
    objects,
    signal: reader.find(part, RECORDS.SIGNAL)?.value,
    // The queue of the process stands before that of the leader.
    pending: shared === undefined || isZombie ? [] : queued(reader, shared),
    actions:
      sighand === undefined
        ? []
        : pieces(reader, reader.get(sighand, RECORDS.SIGHAND).index, SIGACTION_BYTES),
    timers: part.records
      .filter((record) => reader.image.kind(record) === RECORDS.POSIX_TIMER)
      .map((record) => reader.image.value(record, RECORDS.POSIX_TIMER)),
  };
}

function threadOf(reader: StreamReader, part: Part, tid: number): ImageThread {
  const own = reader.index(part, RECORDS.SIGPENDING, -1);
  const cpu = reader.get(part, RECORDS.CPU).value as Readonly<Record<string, unknown>>;
  return {
    tid,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    task: reader.get(part, RECORDS.TASK).value,
    registers: registersOf(cpu),
    codeSelector: Number(cpu.cs),
    xsave: xsaveOf(reader, part),
    blocked: reader.get(part, RECORDS.SIGNAL_TASK).value.blocked,
    pending: own === undefined ? [] : queued(reader, own),
    restartBlock: reader.get(part, RECORDS.RESTART_BLOCK).value,
    rseq: reader.find(part, RECORDS.RSEQ)?.value,
    extra: reader.find(part, RECORDS.TASK_EXTRA)?.value,
    credentials: credentialsOf(reader, part, tid),
  };
}

function credentialsOf(reader: StreamReader, part: Part, tid: number): Credentials {
  const { credentials } = linuxCrThread(reader, part, tid);
  if (credentials === undefined) throw reader.image.error(0, `thread ${tid} has no credentials`);
  return credentials;
}

function registersOf(cpu: Readonly<Record<string, unknown>>): Registers {
  const registers = new Registers();
  for (const [name, register] of Object.entries(CPU_REGISTERS)) registers.set(register, cpu[name] as bigint);
  const selector = (code: unknown): number => SELECTORS.find(([, each]) => each === code)?.[0] ?? 0;
  return registers
    .set("cs", selector(cpu.cs))
    .set("ss", selector(cpu.ss))
    .set("ds", selector(cpu.ds))
    .set("es", selector(cpu.es))
    .set("fs", selector(cpu.fsindex))
    .set("gs", selector(cpu.gsindex));
}

function xsaveOf(reader: StreamReader, part: Part): Xsave {
  const fpu = reader.index(part, RECORDS.CPU_FPU);
  const legacy = fpu === undefined ? Buffer.alloc(FXSAVE_BYTES) : reader.image.bytes(fpu);
  const fxsave = Buffer.from(legacy.subarray(0, FXSAVE_BYTES));
  const found = reader.find(part, RECORDS.XSTATE);
  if (found === undefined) return { fxsave, xstateBv: LEGACY_STATE, components: [] };
  const bytes = reader.image.bytes(found.index);
  const components = [];
  for (let at = 0, i = 0; i < found.value.nr_components; i++) {
    const size = at + XSTATE_COMPONENT.size > bytes.length ? 0 : bytes.readUInt32LE(at + 4);
    if (at + XSTATE_COMPONENT.size + size > bytes.length)
      throw reader.image.error(
        found.index,
        `component ${i} of the processor's state does not fit into the record`,
      );
    const component = bytes.readUInt32LE(at);
    at += XSTATE_COMPONENT.size;
    // criu stores components that are not in use, with what stood there: the processor takes those for initial.
    if ((found.value.xstate_bv >> BigInt(component)) & 1n)
      components.push({ component, bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return { fxsave, xstateBv: found.value.xstate_bv, components };
}

function queued(reader: StreamReader, record: number): Buffer[] {
  return pieces(reader, record, CKPT_SIGINFO_BYTES).map(fromCkptSiginfo);
}

/** The payload of a record in pieces of `size` bytes. */
function pieces({ image }: StreamReader, record: number, size: number): Buffer[] {
  const bytes = image.bytes(record);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

/** Names of registers in CPU and in struct user_regs_struct. */
export const CPU_REGISTERS = {
  r15: "r15",
  r14: "r14",
  r13: "r13",
  r12: "r12",
  bp: "rbp",
  bx: "rbx",
  r11: "r11",
  r10: "r10",
  r9: "r9",
  r8: "r8",
  ax: "rax",
  cx: "rcx",
  dx: "rdx",
  si: "rsi",
  di: "rdi",
  orig_ax: "orig_rax",
  ip: "rip",
  sp: "rsp",
  flags: "eflags",
  fs: "fs_base",
  gs: "gs_base",
} as const satisfies Record<string, Register>;

/** Selectors of 64-bit tasks and the codes that stand for them, FORMAT of CPU: 3 user64 CS, 4 user64 DS. */
export const SELECTORS = [
  [0, 0],
  [0x33, 3],
  [0x2b, 4],
] as const;
