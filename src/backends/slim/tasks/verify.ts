import { hex } from "../../../io/hex.js";
import { SIG_IGN } from "../../../linux/signals.js";
import { type ExtendedState, usedComponents } from "../../../model/x86-registers.js";
import { keyedLines, procNumbers, readProc } from "../proc/read.js";
import { readStat } from "../proc/stat.js";
import { readStatus } from "../proc/status.js";
import type { RestoreContext } from "../restore/context.js";
import { compare, type Difference } from "../restore/difference.js";
import { REGISTERS } from "../sys/abi-x64.js";
import { splitXsave } from "../sys/xsave.js";
import type { ImageProcess, ImageThread } from "./image.js";

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
  const { umask = 0 } = context.image.fs(objects?.fs_objref ?? 0);
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
    ...compare("the start of its heap", hex(mm.heap.start), hex(stat.startBrk)),
    ...compare("the start of its stack", hex(mm.startStack), hex(stat.startStack)),
    ...compare("its arguments", hex(mm.argv.start), hex(stat.argStart)),
    ...compare("its environment", hex(mm.environ.start), hex(stat.envStart)),
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

/** Signals that cannot be blocked: SIGKILL, SIGSTOP. */
const UNBLOCKABLE = (1n << 8n) | (1n << 18n);

/** Registers, extended state, signal mask and credentials of the threads of a process that are not as in the image. */
export function threadDifferences(
  context: RestoreContext,
  { ids: { pid }, threads }: ImageProcess,
): Difference[] {
  return threads.flatMap((thread) => {
    const { tid } = thread;
    const { tracee } = context.remote(pid, tid);
    const registers = tracee.registers();
    const found = splitXsave(tracee.xstate());
    return [
      ...REGISTERS.flatMap((name) =>
        compare(
          `register ${name} of thread ${tid}`,
          hex(thread.registers.get(name)),
          hex(registers.get(name)),
        ),
      ),
      ...usedComponents(thread.extended).flatMap(([component, bytes]) =>
        found.components.get(component)?.equals(bytes) === true
          ? []
          : compare(`processor state ${component} of thread ${tid}`, "as stored", "different"),
      ),
      ...legacyParts(thread.extended).flatMap(([name, from, to]) =>
        thread.extended.fxsave.subarray(from, to).equals(found.fxsave.subarray(from, to))
          ? []
          : compare(`${name} of thread ${tid}`, "as stored", "different"),
      ),
      ...compare(
        `blocked signals of thread ${tid}`,
        maskWords(thread.blocked),
        maskWords(tracee.signalMask()),
      ),
      ...credentialDifferences(pid, thread),
    ];
  });
}

/** Parts of an FXSAVE area that are in use, in bytes: Intel SDM vol. 1, 10.5.1. Those in their initial state hold anything. */
function legacyParts({ inUse = 3n }: ExtendedState): (readonly [name: string, from: number, to: number])[] {
  return [
    ...((inUse & 1n) !== 0n ? [["x87 state", 0, 24] as const, ["x87 registers", 32, 160] as const] : []),
    ...((inUse & 2n) !== 0n ? [["XMM registers", 160, 416] as const] : []),
  ];
}

function maskWords(mask: Uint8Array): string {
  return hex(Buffer.from(mask).readBigUInt64LE() & ~UNBLOCKABLE);
}

function credentialDifferences(pid: number, { tid, credentials, extra }: ImageThread): Difference[] {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups } = credentials;
  const status = readStatus(`${pid}/task/${tid}`);
  const of = (name: string): string => `${name} of thread ${tid}`;
  const sorted = (list: readonly number[]): string => [...list].sort((a, b) => a - b).join(" ");
  return [
    ...compare(of("user ids"), [uid, euid, suid, fsuid].join(" "), status.uids.join(" ")),
    ...compare(of("group ids"), [gid, egid, sgid, fsgid].join(" "), status.gids.join(" ")),
    ...compare(of("groups"), sorted(groups), sorted(status.groups)),
    ...compare(of("effective capabilities"), hex(credentials.effective), hex(status.effective)),
    ...compare(of("permitted capabilities"), hex(credentials.permitted), hex(status.permitted)),
    ...compare(of("inheritable capabilities"), hex(credentials.inheritable), hex(status.inheritable)),
    ...(extra === undefined
      ? []
      : [
          ...compare(of("ambient capabilities"), hex(credentials.ambient), hex(status.ambient)),
          ...compare(of("no_new_privs"), Number(credentials.noNewPrivs), Number(status.noNewPrivs)),
          ...(extra.seccomp_mode === 0
            ? []
            : compare(of("seccomp mode"), extra.seccomp_mode, status.seccomp)),
        ]),
  ];
}
