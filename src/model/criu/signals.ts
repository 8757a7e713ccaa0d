import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry, TaskCoreEntry } from "../../formats/criu/tables/core.js";
import type { SaEntry } from "../../formats/criu/tables/sigaction.js";
import type { SiginfoEntry, SignalQueueEntry } from "../../formats/criu/tables/siginfo.js";
import type { Origin } from "../origin.js";
import { CATCHABLE, type PendingSignal, type SignalAction } from "../signals.js";
import { taskEntries } from "./task-entries.js";

/** Signal actions, which stand in the order of their signals; sets before criu 3.1 keep them in sigacts-PID.img. */
export function decodeActions(
  set: CriuImageSet,
  pid: number,
  core: TaskCoreEntry | undefined,
): SignalAction[] {
  const stored = core?.sigactions ?? [];
  const all = stored.length > 0 ? stored : set.records(IMAGES.SIGACT, pid).map(({ value }) => value);
  return taskEntries(set, pid, "signal actions", all).map(({ sigaction, flags, mask, restorer }, i) => ({
    // What stands behind the last is none of a signal.
    signal: CATCHABLE[i] ?? i + 3,
    ...{ handler: sigaction, flags, mask, restorer },
  }));
}

export function encodeActions(actions: readonly SignalAction[]): SaEntry[] {
  return actions.map(({ handler, flags, mask, restorer }) => ({
    ...{ sigaction: handler, flags, restorer, mask },
    compat_sigaction: false,
  }));
}

/** What waits for the whole task; sets before criu 1.3 keep it in an image of its own. */
export function decodeTaskQueue(
  set: CriuImageSet,
  pid: number,
  core: TaskCoreEntry | undefined,
): PendingSignal[] {
  const queue = core?.signals_s?.signals;
  if (queue !== undefined) return decodeQueue(queue, fileNameOf(IMAGES.CORE, pid), "tc.signals_s.signals");
  return set
    .records(IMAGES.SIGNAL, pid)
    .map(({ value, index }) => decodeSignal(value, { image: fileNameOf(IMAGES.SIGNAL, pid), record: index }));
}

/** What waits for a thread alone; sets before criu 1.3 keep it in an image of its own. */
export function decodeThreadQueue(
  set: CriuImageSet,
  tid: number,
  core: Pick<CoreEntry, "thread_core"> | undefined,
): PendingSignal[] {
  const queue = core?.thread_core?.signals_p?.signals;
  if (queue !== undefined)
    return decodeQueue(queue, fileNameOf(IMAGES.CORE, tid), "thread_core.signals_p.signals");
  return set
    .records(IMAGES.PSIGNAL, tid)
    .map(({ value, index }) =>
      decodeSignal(value, { image: fileNameOf(IMAGES.PSIGNAL, tid), record: index }),
    );
}

export function encodeQueue(queue: readonly PendingSignal[]): SignalQueueEntry {
  return { signals: queue.map(({ siginfo }) => ({ siginfo })) };
}

function decodeQueue(queue: readonly SiginfoEntry[], image: string, field: string): PendingSignal[] {
  return queue.map((entry, i) => decodeSignal(entry, { image, record: 0, field: `${field}[${i}]` }));
}

/** siginfo_t starts with si_signo, si_errno, si_code (x86 and most others; sigaction(2)). */
function decodeSignal({ siginfo }: SiginfoEntry, origin: Origin): PendingSignal {
  return {
    signal: siginfo.length >= 4 ? siginfo.readInt32LE(0) : 0,
    code: siginfo.length >= 12 ? siginfo.readInt32LE(8) : 0,
    ...{ siginfo, origin },
  };
}
