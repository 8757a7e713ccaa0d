import { SIG_IGN } from "../../../../linux/signals.js";
import { keyedLines, procNumbers, readProc } from "../../proc/read.js";
import { readStat } from "../../proc/stat.js";
import type { RestoreContext } from "../construction.js";
import type { ImageProcess } from "../image-task.js";
import { hex } from "../plan/step.js";
import { compare, type Difference } from "./difference.js";

/** What belongs to a whole process and is not as in the image: ids, threads, umask, signal actions, queued signals. */
export function processDifferences(
  context: RestoreContext,
  process: ImageProcess,
  external: number | undefined,
): Difference[] {
  const { ids, threads, objects, comm } = process;
  const { pid, ppid, sid, pgid } = ids;
  const stat = readStat(pid);
  const lines = keyedLines(readProc(pid, "status"));
  const isInside = sid !== external;
  const { mm } = context.image.memory(objects?.mm_objref ?? 0);
  const { umask } = context.image.fs(objects?.fs_objref ?? 0);
  const mask = (name: string): string => hex(BigInt(`0x${lines.get(name) ?? "0"}`));
  return [
    ...compare("its name", comm, stat.comm),
    ...(context.image.processes[0] === process ? [] : compare("its parent", ppid, stat.ppid)),
    ...(isInside ? compare("its session", sid, stat.sid) : []),
    ...(isInside && pgid !== 0 ? compare("its group", pgid, stat.pgid) : []),
    ...compare("its threads", sorted(threads.map(({ tid }) => tid)), sorted(procNumbers(pid, "task"))),
    ...compare("its umask", umask.toString(8), Number.parseInt(lines.get("Umask") ?? "0", 8).toString(8)),
    ...compare(
      "its ignored signals",
      actionMask(process, (handler) => handler === SIG_IGN),
      mask("SigIgn"),
    ),
    ...compare(
      "its handled signals",
      actionMask(process, (handler) => handler > SIG_IGN),
      mask("SigCgt"),
    ),
    ...missingSignals(process, BigInt(mask("ShdPnd"))),
    ...compare("the start of its heap", hex(mm.start_brk), hex(stat.startBrk)),
    ...compare("the start of its stack", hex(mm.start_stack), hex(stat.startStack)),
    ...compare("its arguments", hex(mm.arg_start), hex(stat.argStart)),
    ...compare("its environment", hex(mm.env_start), hex(stat.envStart)),
  ];
}

function sorted(numbers: readonly number[]): string {
  return [...numbers].sort((a, b) => a - b).join(" ");
}

/** Bit n-1 for each signal n whose handler, the first word of struct sigaction, is of a kind. */
function actionMask({ actions }: ImageProcess, isKind: (handler: bigint) => boolean): string {
  return hex(
    actions.reduce(
      (mask, action, i) => (isKind(action.readBigUInt64LE(0)) ? mask | (1n << BigInt(i)) : mask),
      0n,
    ),
  );
}

/** Timers run already and may have sent more. */
function missingSignals({ pending }: ImageProcess, found: bigint): Difference[] {
  return pending.flatMap((info) => {
    const signal = info.readInt32LE(0);
    return (found & (1n << BigInt(signal - 1))) !== 0n
      ? []
      : compare(`signal ${signal}`, "queued for the process", "not queued");
  });
}
