import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { FAMILIES } from "./families.js";

/** What to try. */
export interface Wanted {
  readonly seed: string;
  readonly mutants: number;
  readonly family?: string | undefined;
  /** Only operations whose name starts so. */
  readonly operation?: string | undefined;
  /** Only this mutant. */
  readonly mutant?: number | undefined;
  /** Only this step of it. */
  readonly step?: number | undefined;
  /** Of each mutant only every so many-th operation is tried, other ones of the next: more mutants in the same time. */
  readonly every?: number | undefined;
  /** Nothing is started after so many seconds. */
  readonly seconds?: number | undefined;
  readonly jobs?: number | undefined;
}

/** Mutants of one family that one process tries. */
export interface Batch extends Pick<Wanted, "seed" | "operation" | "step" | "every"> {
  readonly family: string;
  readonly from: number;
  readonly to: number;
}

/** An operation on a mutant that did not end as promised. */
export interface Fault {
  readonly family: string;
  readonly index: number;
  readonly operation: string;
  readonly steps: readonly string[];
  readonly what: string;
  /** The step that does it alone. */
  readonly step?: number | undefined;
}

/** What a worker says, one line each: what it starts, what it has done, what was wrong. */
export type Said =
  | { readonly index: number; readonly operation: string }
  | { readonly index: number; readonly operations: number }
  | { readonly index: number; readonly fault: Fault };

export interface Outcome {
  readonly mutants: number;
  readonly operations: number;
  readonly faults: readonly Fault[];
}

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
/** A process of its own for so many: what leaks shows, and a death costs little. */
const BATCH = 500;
/** A worker that says nothing for so long hangs; the machine may be busy with other things. */
const SILENT_SECONDS = 60;
const HEAP_MIB = 512;

/** Makes and tries mutants in processes of their own. `told` gets each fault when it is found. */
export async function campaign(wanted: Wanted, told: (fault: Fault) => void = () => {}): Promise<Outcome> {
  const batches = batchesOf(wanted);
  const end = performance.now() + (wanted.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const faults: Fault[] = [];
  let [mutants, operations] = [0, 0];
  const work = async (): Promise<void> => {
    for (
      let batch = batches.shift();
      batch !== undefined && performance.now() < end;
      batch = batches.shift()
    ) {
      const rest = await runBatch(batch, end, (said) => {
        if ("operations" in said) {
          mutants++;
          operations += said.operations;
        }
        if ("fault" in said) {
          faults.push(said.fault);
          told(said.fault);
        }
      });
      if (rest !== undefined) batches.unshift(rest);
    }
  };
  await Promise.all(Array.from({ length: wanted.jobs ?? 2 }, work));
  return { mutants, operations, faults };
}

/** Every family in turn, so that a run that is cut short has tried something of each. */
function batchesOf({ seed, mutants, family, operation, mutant, step, every }: Wanted): Batch[] {
  const families = FAMILIES.filter(({ name }) => family === undefined || name === family);
  const shares = families.reduce((sum, { share }) => sum + share, 0);
  const lists = families.map(({ name, share }) => {
    const [from, to] =
      mutant === undefined ? [0, Math.ceil((mutants * share) / shares)] : [mutant, mutant + 1];
    return Array.from({ length: Math.ceil((to - from) / BATCH) }, (_, i) => ({
      ...{ seed, operation, step, every, family: name },
      from: from + i * BATCH,
      to: Math.min(to, from + (i + 1) * BATCH),
    }));
  });
  return Array.from({ length: Math.max(...lists.map(({ length }) => length)) }, (_, i) =>
    lists.flatMap((list) => list.slice(i, i + 1)),
  ).flat();
}

/** Runs a batch; gives what is left of it when its process died or was ended. */
function runBatch(batch: Batch, end: number, heard: (said: Said) => void): Promise<Batch | undefined> {
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${HEAP_MIB}`, "--import", "tsx", WORKER, JSON.stringify(batch)],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let last: { index: number; operation: string } = { index: batch.from, operation: "the start" };
  let stderr = "";
  let isLate = false;
  let timer = silence(child);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    clearTimeout(timer);
    timer = silence(child);
    const said = JSON.parse(line) as Said;
    if ("operation" in said) last = said;
    heard(said);
    if ("operations" in said && performance.now() > end) {
      isLate = true;
      child.kill("SIGKILL");
    }
  });
  return new Promise((done) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || isLate) return done(undefined);
      const what =
        signal === "SIGKILL" ? `hangs: nothing for ${SILENT_SECONDS} s` : `died: ${signal ?? code} ${stderr}`;
      heard({ index: last.index, fault: { family: batch.family, ...last, steps: [], what } });
      done(last.index + 1 < batch.to ? { ...batch, from: last.index + 1 } : undefined);
    });
  });
}

function silence(child: ChildProcess): NodeJS.Timeout {
  return setTimeout(() => child.kill("SIGKILL"), SILENT_SECONDS * 1000);
}

/** The command that tries a fault again. */
export function repeatCommand(seed: string, { family, index, operation, step }: Fault): string {
  const only = operation === "any" ? "" : ` --operation '${operation}'`;
  return `npm run fuzz -- --seed ${seed} --family ${family} --mutant ${index}${step === undefined ? "" : ` --step ${step}`}${only}`;
}

/** A fault as text: what was changed, what came out, how to have it again. */
export function faultText(seed: string, fault: Fault): string {
  const steps = fault.steps.filter((_, i) => fault.step === undefined || i === 0 || i === fault.step + 1);
  return `${fault.operation}: ${fault.what}\n  mutant: ${steps.join("; ")}\n  again: ${repeatCommand(seed, fault)}`;
}
