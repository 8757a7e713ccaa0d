import { coreHead, type Segment } from "../../formats/elf/core-file.js";
import { FormatError, NotFoundError, UnsupportedError, UsageError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import { listed } from "../../io/listed.js";
import type { Task } from "../../model/checkpoint.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import type { Memory } from "../../model/memory.js";
import { memoryPieces } from "../../model/memory-pieces.js";
import { CORE_ARCHITECTURES, type CoreArchitecture } from "./architectures.js";
import { notesOf } from "./notes.js";
import { type MissingPages, segmentsOf } from "./segments.js";

/** Who reads the core. volatility takes only segments with all their bytes, at their physical addresses. */
export type CoreReader = "gdb" | "volatility";

/** A core file of a task, not written yet. */
export interface Core extends Readonly<MissingPages> {
  readonly pid: number;
  readonly comm: string;
  readonly architecture: string;
  readonly threads: number;
  readonly segments: number;
  /** Segments of which the file has no bytes. */
  readonly empty: number;
  /** Of the file, with holes. */
  readonly size: bigint;
  /** The file in order; a number of zeros for a hole. Bytes are valid until the next piece. Errors: FormatError. */
  contents(): Iterable<Buffer | { readonly zeros: number }>;
}

/**
 * An ELF core of a task, core(5): `pid`, or the only one of the image that has memory. Pagemaps are read, pages only by
 * `contents`. Errors: NotFoundError; UsageError when there are several tasks; UnsupportedError for an architecture that
 * the image does not tell; FormatError for damage.
 */
export function coreOf(
  { checkpoint }: Document,
  { pid, reader = "gdb" }: { readonly pid?: number | undefined; readonly reader?: CoreReader },
): Core {
  const task = chooseTask(chosenTasks(checkpoint, { pids: pid === undefined ? undefined : [pid] }));
  const memory = task.memory();
  if (memory === undefined || task.threads.length === 0)
    throw new NotFoundError(`task ${task.pid} is a ${task.state} and has no memory`);
  const [name, architecture] = architectureOf(checkpoint.architecture, task);
  const missing: MissingPages = { lazy: 0, missing: 0 };
  const all = [...segmentsOf(task.mappings, memory, missing)];
  const segments = reader === "gdb" ? all : all.filter(({ hasBytes }) => hasBytes);
  const head = coreHead(architecture, [...notesOf(architecture, task, memory)], segments, {
    pageSize: memory.pageSize,
    hasPhysical: reader === "volatility",
  });
  const stored = segments.filter(({ hasBytes }) => hasBytes);
  const headBytes = head.reduce((sum, { length }) => sum + length, 0);
  return {
    ...{ pid: task.pid, comm: task.comm, architecture: name, ...missing },
    ...{ threads: task.threads.length, segments: segments.length, empty: segments.length - stored.length },
    size: stored.reduce((sum, { size }) => sum + size, BigInt(headBytes)),
    *contents() {
      yield* head;
      const reused = Buffer.allocUnsafeSlow(READ_BYTES);
      for (const segment of stored) yield* bytesOf(segment, memory, reused);
    },
  };
}

const READ_BYTES = 1024 * 1024;

function* bytesOf({ address, size }: Segment, memory: Memory, reused: Buffer) {
  for (const piece of memoryPieces(memory, { start: address, end: address + size }, reused)) {
    if ("missing" in piece)
      throw new FormatError("MISSING", `memory at ${hex(address)} ${piece.missing.why}`);
    yield piece;
  }
}

function chooseTask(tasks: readonly Task[]): Task {
  const [first, ...others] = tasks.length === 1 ? tasks : tasks.filter(({ mm }) => mm !== undefined);
  if (first === undefined) throw new NotFoundError("no task of the image has memory");
  if (others.length > 0)
    throw new UsageError(`the image has tasks ${listed(tasks.map(({ pid }) => pid))}; choose one with -p`);
  return first;
}

/** A 32-bit program on x86-64 has a core of its own architecture. */
function architectureOf(machine: string, { threads }: Task): readonly [string, CoreArchitecture] {
  const name = machine === "x86_64" && threads[0]?.x86?.isCompat ? "i686" : machine;
  const architecture = CORE_ARCHITECTURES[name];
  if (architecture === undefined)
    throw new UnsupportedError(
      `no core for architecture ${name} (expected ${Object.keys(CORE_ARCHITECTURES).join(", ")})`,
    );
  return [name, architecture];
}
