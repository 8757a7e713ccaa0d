import { type HostFiles, LIVE_HOST } from "../../../linux/host-files.js";
import type { Lock } from "../../../model/lock.js";
import { Host as System } from "../../../ops/validate/host/host.js";
import { fileUsers } from "../locks/conflicts.js";
import { ownVdso, type Vdso } from "../memory/vdso.js";
import { parseStat } from "../proc/stat.js";
import { parseStatus } from "../proc/status.js";
import type { ImageUnix } from "../sockets/image.js";
import { whyNotReplaced } from "../sockets/unix-path.js";
import { type CallerTerminal, callerTerminal } from "../terminals/caller.js";

/** What a plan wants to know of the host it is made for. */
export interface Host {
  /** As Node names it: `x64`. */
  readonly arch: string;
  /** Version of the kernel: 6013 for 6.13. */
  readonly kernel: number;
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
  conflictsOf(path: string, lock: Lock): readonly string[];
  /** Why a unix socket cannot be bound to its path; undefined when it can. */
  whyNotReplaced(socket: ImageUnix): string | undefined;
}

/** This host as /proc shows it; nothing is changed and no native code is loaded. */
export function thisHost(): Host {
  const { conflictsOf } = fileUsers();
  return {
    ...hostOf(LIVE_HOST, { vdso: ownVdso(), terminal: callerTerminal() }),
    whyNotReplaced,
    conflictsOf,
  };
}

/** What the kernel's files do not tell of a host. */
export interface BesideFiles {
  readonly vdso: Vdso | undefined;
  readonly terminal: CallerTerminal | undefined;
}

/** A host by its files of /proc; of its other files nothing is known, so nothing stands in the way there. */
export function hostOf(files: HostFiles, { vdso, terminal }: BesideFiles): Host {
  let taken: ReadonlySet<number> | undefined;
  let pts: ReadonlySet<string> | undefined;
  const own = parseStatus(files.text("/proc/self/status") ?? "");
  const system = new System(undefined, undefined, files);
  return {
    arch: files.arch,
    kernel: versionNumber(system.kernel),
    pidMax: system.sysctl("kernel/pid_max") ?? 0,
    cpuFlags: system.cpuFlags(),
    vdso,
    capabilities: own.effective,
    bounding: own.bounding,
    uid: own.uids[1],
    gid: own.gids[1],
    groups: own.groups,
    hardLimits: system.hardLimits(),
    isTaken: (id) => {
      taken ??= takenIds(files);
      return taken.has(id);
    },
    whyNotReplaced: () => undefined,
    conflictsOf: () => [],
    terminal: () => terminal,
    hasTerminal: (index) => {
      pts ??= new Set(files.names("/dev/pts"));
      return pts.has(String(index));
    },
  };
}

function versionNumber(release: string): number {
  const [major = 0, minor = 0] = release.split(".").map(Number.parseFloat);
  return major * 1000 + minor;
}

/** Ids of all processes and threads, and of all groups and sessions. */
function takenIds(files: HostFiles): Set<number> {
  const ids = new Set<number>();
  for (const name of files.names("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    ids.add(Number(name));
    const text = files.text(`/proc/${name}/stat`);
    if (text === undefined) continue; // It has ended meanwhile.
    const { pgid, sid } = parseStat(text);
    for (const id of [pgid, sid, ...files.names(`/proc/${name}/task`).map(Number)]) ids.add(id);
  }
  return ids;
}
