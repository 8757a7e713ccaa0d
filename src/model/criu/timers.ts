import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { TaskCoreEntry } from "../../formats/criu/tables/core.js";
import type { ItimerEntry, PosixTimerEntry, TimerfdEntry } from "../../formats/criu/tables/timer.js";
import { MAX_TASK_TIMERS } from "../../io/limits.js";
import { NSEC_PER_SEC, NSEC_PER_USEC } from "../../linux/time.js";
import type { DescriptorTable, Origin, Timer, TimerKind } from "../checkpoint.js";
import { taskEntries } from "./task-entries.js";

/** Interval timers, POSIX timers and timerfds of a task, with what was left of them at the checkpoint. */
export function criuTimers(
  set: CriuImageSet,
  pid: number,
  core: TaskCoreEntry | undefined,
  table: DescriptorTable | undefined,
): Timer[] {
  return [...intervalTimers(set, pid, core), ...posixTimers(set, pid, core), ...timerfds(table)];
}

function intervalTimers(set: CriuImageSet, pid: number, core: TaskCoreEntry | undefined): Timer[] {
  const image = `core-${pid}.img`;
  const { timers } = core ?? {};
  if (timers !== undefined)
    return [
      itimer("real", timers.real, { image, record: 0, field: "tc.timers.real" }),
      itimer("virtual", timers.virt, { image, record: 0, field: "tc.timers.virt" }),
      itimer("prof", timers.prof, { image, record: 0, field: "tc.timers.prof" }),
    ];
  const kinds: readonly TimerKind[] = ["real", "virtual", "prof"];
  return set
    .records(IMAGES.ITIMERS, pid)
    .slice(0, 3)
    .map(({ value, index }) =>
      itimer(kinds[index] as TimerKind, value, { image: `itimers-${pid}.img`, record: index }),
    );
}

function posixTimers(set: CriuImageSet, pid: number, core: TaskCoreEntry | undefined): Timer[] {
  if (core?.timers !== undefined)
    return taskEntries(set, pid, "POSIX timers", core.timers.posix, MAX_TASK_TIMERS).map((timer, i) =>
      posix(timer, { image: `core-${pid}.img`, record: 0, field: `tc.timers.posix[${i}]` }),
    );
  return set
    .records(IMAGES.POSIX_TIMERS, pid)
    .map(({ value, index }) => posix(value, { image: `posix-timers-${pid}.img`, record: index }));
}

function timerfds(table: DescriptorTable | undefined): Timer[] {
  const seen = new Set<number>();
  const timers: Timer[] = [];
  for (const { file } of table?.descriptors ?? []) {
    if (file?.type !== "TIMERFD" || seen.has(file.id)) continue;
    seen.add(file.id);
    const entry = file.record as TimerfdEntry;
    timers.push({
      kind: "timerfd",
      id: file.id,
      left: entry.vsec * NSEC_PER_SEC + entry.vnsec,
      interval: entry.isec * NSEC_PER_SEC + entry.insec,
      clock: entry.clockid,
      signal: undefined,
      overrun: entry.ticks,
      origin: file.origin,
    });
  }
  return timers;
}

function itimer(kind: TimerKind, entry: ItimerEntry, origin: Origin): Timer {
  return {
    kind,
    id: undefined,
    left: entry.vsec * NSEC_PER_SEC + entry.vusec * NSEC_PER_USEC,
    interval: entry.isec * NSEC_PER_SEC + entry.iusec * NSEC_PER_USEC,
    clock: undefined,
    signal: undefined,
    overrun: 0n,
    origin,
  };
}

function posix(entry: PosixTimerEntry, origin: Origin): Timer {
  return {
    kind: "posix",
    id: entry.it_id,
    left: entry.vsec * NSEC_PER_SEC + entry.vnsec,
    interval: entry.isec * NSEC_PER_SEC + entry.insec,
    clock: entry.clock_id,
    signal: entry.si_signo,
    overrun: BigInt(entry.overrun),
    origin,
  };
}
