import fs from "node:fs";
import { RLIM_INFINITY } from "../../../linux/rlimits.js";
import { type HostLock, readLocks } from "../proc/locks.js";
import { isVvar, readVmas, type Vma } from "../proc/mappings.js";
import { readStat } from "../proc/stat.js";
import { readStatus } from "../proc/status.js";
import { type CallerTerminal, callerTerminal } from "./caller-terminal.js";

const NAME_COLUMNS = 26;
const UNLIMITED = "unlimited";

import type { ImageUnix } from "./files/sockets/image-socket.js";
import { whyNotReplaced } from "./files/sockets/unix-path.js";
import type { ImageLock } from "./image.js";
import { conflictsOf } from "./lock-rivals.js";

/** A vDSO and the areas that the kernel puts beside it. */
export interface Vdso {
  /** `name: first-end` of each area, ascending, in bytes from the lowest. */
  readonly layout: string;
  readonly code: Buffer;
}

/** What a plan wants to know of the host it is made for. */
export interface Host {
  /** As Node names it: `x64`. */
  readonly arch: string;
  /** Where ids of tasks end: the highest is one less. */
  readonly pidMax: number;
  /** Flags of /proc/cpuinfo: `avx`, `avx512f` … */
  readonly cpuFlags: ReadonlySet<string>;
  readonly vdso: Vdso | undefined;
  /** Effective capabilities of crimg, bit by number, capabilities(7). */
  readonly capabilities: bigint;
  /** Capabilities that no program of crimg can get beyond. */
  readonly bounding: bigint;
  /** User and group that crimg works as, and its other groups. */
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Resource limits that no task of crimg exceeds without CAP_SYS_RESOURCE, by the numbers of resources. */
  readonly hardLimits: readonly bigint[];
  /** Whether a task has this id, or is of the group or session of it. */
  isTaken(id: number): boolean;
  /** The terminal that crimg runs on. */
  terminal(): CallerTerminal | undefined;
  /** Whether there is a pseudo terminal with this number. */
  hasTerminal(index: number): boolean;
  /** Who keeps a lock from being taken on the file at a path. */
  conflictsOf(path: string, lock: ImageLock): readonly string[];
  /** Why a unix socket cannot be bound to its path; undefined when it can. */
  whyNotReplaced(socket: ImageUnix): string | undefined;
}

/** The host as /proc shows it; nothing is changed and no native code is loaded. Errors: BackendError without /proc. */
export function thisHost(): Host {
  let locks: readonly HostLock[] | undefined;
  const own = readStatus("self");
  return {
    arch: process.arch,
    pidMax: Number(fs.readFileSync("/proc/sys/kernel/pid_max", "latin1")),
    cpuFlags: cpuFlags(),
    vdso: ownVdso(),
    capabilities: own.effective,
    bounding: own.bounding,
    uid: own.uids[1],
    gid: own.gids[1],
    groups: own.groups,
    hardLimits: ownHardLimits(),
    isTaken,
    whyNotReplaced,
    conflictsOf: (path, lock) => {
      locks ??= readLocks();
      return conflictsOf(path, lock, locks);
    },
    terminal: callerTerminal,
    hasTerminal: (index) => fs.existsSync(`/dev/pts/${index}`),
  };
}

function cpuFlags(): Set<string> {
  const [, flags = ""] = /^flags\s*:(.*)$/m.exec(fs.readFileSync("/proc/cpuinfo", "latin1")) ?? [];
  return new Set(flags.trim().split(" "));
}

/** Every process has the same one, wherever it stands. */
function ownVdso(): Vdso | undefined {
  const special = readVmas(process.pid).filter((vma) => isVvar(vma) || isVdso(vma));
  const vdso = special.find(isVdso);
  if (vdso === undefined) return undefined;
  const code = Buffer.alloc(vdso.end - vdso.start);
  const memory = fs.openSync("/proc/self/mem", "r");
  try {
    fs.readSync(memory, code, 0, code.length, vdso.start);
  } finally {
    fs.closeSync(memory);
  }
  return { layout: vdsoLayout(special.map((vma) => ({ ...vma, isCode: isVdso(vma) }))), code };
}

function isVdso({ name }: Vma): boolean {
  return name === "[vdso]";
}

/** The areas of a vDSO without the address that they stand at; data areas that touch are one, as criu stores them. */
export function vdsoLayout(
  vmas: readonly { readonly start: number; readonly end: number; readonly isCode: boolean }[],
): string {
  const lowest = Math.min(...vmas.map(({ start }) => start));
  const merged: { start: number; end: number; isCode: boolean }[] = [];
  for (const { start, end, isCode } of vmas) {
    const last = merged.at(-1);
    if (last !== undefined && last.isCode === isCode && last.end === start) last.end = end;
    else merged.push({ start, end, isCode });
  }
  return merged
    .map(({ start, end, isCode }) => `${isCode ? "code" : "data"} ${start - lowest}-${end - lowest}`)
    .join(", ");
}

/** A line has the name in 26 columns, then soft and hard limit; in the order of resource numbers, fs/proc/base.c. */
function ownHardLimits(): bigint[] {
  const [, ...lines] = fs.readFileSync("/proc/self/limits", "latin1").trim().split("\n");
  return lines.map((line) => {
    const [, hard = UNLIMITED] = line.slice(NAME_COLUMNS).trim().split(/\s+/);
    return hard === UNLIMITED ? RLIM_INFINITY : BigInt(hard);
  });
}

function isTaken(id: number): boolean {
  return fs.readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    if (Number(name) === id || fs.existsSync(`/proc/${name}/task/${id}`)) return true;
    try {
      const { pgid, sid } = readStat(name);
      return pgid === id || sid === id;
    } catch {
      return false;
    }
  });
}
