import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { DescriptorTable, Timer, TimerKind } from "../checkpoint.js";
import type { StreamReader } from "./reader.js";

const NONE = {
  ...{ id: undefined, clock: undefined, signal: undefined },
  ...{ left: 0n, interval: 0n, overrun: 0n },
};

/** The three timers of setitimer(2), from the SIGNAL record of a process. */
export function intervalTimers(reader: StreamReader, owner: Part): Timer[] {
  const found = reader.find(owner, RECORDS.SIGNAL);
  if (found === undefined) return [];
  const { value, index } = found;
  const origin = reader.origin(index);
  return [
    { ...NONE, kind: "real", left: value.it_real_value, interval: value.it_real_incr, origin },
    { ...NONE, kind: "virtual", left: value.it_virt_value, interval: value.it_virt_incr, origin },
    { ...NONE, kind: "prof", left: value.it_prof_value, interval: value.it_prof_incr, origin },
  ];
}

/** Timers of timer_create(2), which our records keep beside the leader of the process. */
export function posixTimers(reader: StreamReader, leader: Part): Timer[] {
  return leader.records
    .filter((record) => reader.image.kind(record) === RECORDS.POSIX_TIMER)
    .map((record) => {
      const timer = reader.image.value(record, RECORDS.POSIX_TIMER);
      return {
        kind: "posix",
        id: timer.timer_id,
        left: timer.value_ns,
        interval: timer.interval_ns,
        clock: timer.clock_id,
        signal: timer.signo,
        overrun: BigInt(timer.overrun),
        origin: reader.origin(record),
      };
    });
}

/** Timers of timerfd_create(2) that a descriptor leads to, each once. */
export function timerfds(reader: StreamReader, table: DescriptorTable | undefined): Timer[] {
  const files = new Set((table?.descriptors ?? []).map(({ file }) => file));
  return [...files].flatMap((file) => {
    const part = file?.type === "TIMERFD" ? reader.object(file.id, "FILE") : undefined;
    const found = part === undefined ? undefined : reader.find(part, RECORDS.TIMERFD);
    if (file === undefined || found === undefined) return [];
    return {
      kind: "timerfd",
      id: file.id,
      left: found.value.value_ns,
      interval: found.value.interval_ns,
      clock: found.value.clock_id,
      signal: undefined,
      overrun: found.value.ticks,
      origin: reader.origin(found.index),
    };
  });
}

/** RESTART_BLOCK.function_type of calls with a time limit. */
const CALLS: Readonly<Record<number, TimerKind>> = {
  2: "nanosleep",
  3: "nanosleep",
  4: "nanosleep",
  5: "nanosleep",
  6: "poll",
  7: "futex",
};
/** Bit of arg_2 by which the kernel remembers that a futex call has a time limit. */
const FUTEX_HAS_TIMEOUT = 4n;

/** The time limit of the call that the checkpoint interrupted in a thread; none for a call without one. */
export function interruptedCall(reader: StreamReader, thread: Part, tid: number): Timer[] {
  const found = reader.find(thread, RECORDS.RESTART_BLOCK);
  if (found === undefined) return [];
  const { function_type: type, arg_0: clock, arg_2: flags, arg_4: left } = found.value;
  const kind = CALLS[Number(type)];
  if (kind === undefined) return [];
  if (kind === "poll" && flags === 0n) return [];
  if (kind === "futex" && (flags & FUTEX_HAS_TIMEOUT) === 0n && left === 0n) return [];
  const origin = reader.origin(found.index);
  return [{ ...NONE, kind, id: tid, left, clock: kind === "nanosleep" ? Number(clock) : undefined, origin }];
}
