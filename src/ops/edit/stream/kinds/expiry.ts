import type { RecordKind } from "../../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { UsageError } from "../../../../io/errors.js";
import { dueText } from "../../due.js";
import { changedTime, formatSeconds } from "../../duration.js";
import type { Parsed } from "../../kind.js";
import type { Expiry, TimerWord } from "../../kinds/expiry.js";
import { editText } from "../../plan.js";
import { streamFiles, streamHolders } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { streamTasks } from "../tasks.js";

/** The kernel keeps times in 63 bits of nanoseconds. */
const MAX_TIME = (1n << 63n) - 1n;

/** A time that is left, in nanoseconds from the start of the checkpoint. */
interface StreamTimer {
  readonly word: TimerWord;
  readonly index: number;
  readonly field: string;
  readonly left: bigint;
  readonly interval: bigint;
  /** Processes or threads whose it is. */
  readonly pids: readonly number[];
  /** Ids of POSIX timers, descriptors of timerfds. */
  readonly ids: readonly number[];
  /** A call that ends at once with 0 left; a timer would be disarmed. */
  readonly mayBeZero: boolean;
  readonly isArmed: boolean;
}

/** `--expiry` on a stream: all times count from one moment, the start of the checkpoint. */
export function planExpiry(edits: readonly Parsed<Expiry>[], draft: StreamDraft): void {
  for (const parsed of edits)
    for (const timer of timersOf(draft)) if (isMeant(timer, parsed.args)) adjust(draft, parsed, timer);
}

function isMeant({ word, pids, ids }: StreamTimer, { kind, pid, id }: Expiry): boolean {
  if (kind !== "all" && kind !== word) return false;
  return (pid === undefined || pids.includes(pid)) && (id === undefined || ids.includes(id));
}

function adjust(draft: StreamDraft, { edit, args }: Parsed<Expiry>, timer: StreamTimer): void {
  const { word, index, field, left, interval, pids, mayBeZero } = timer;
  if (!timer.isArmed) {
    // Every task has three interval timers and a restart block, mostly idle: only who asks for them hears of them.
    if (args.kind !== "all")
      draft.leave(edit, {
        image: draft.name,
        record: index,
        field,
        value: left,
        why: mayBeZero ? "no call that waits with a limit" : "a timer that is not armed",
      });
    return;
  }
  const before = left === 0n && !mayBeZero ? interval : left;
  const wanted = changedTime(before, args.change);
  const least = mayBeZero ? 0n : 1n;
  const after = wanted < least ? least : wanted;
  if (after > MAX_TIME)
    throw new UsageError(`${formatSeconds(after)} is more than Linux counts in (${formatSeconds(MAX_TIME)})`);
  draft.change(edit, index, field, after);
  const what = `${word} of ${pids.join(",")}${timer.ids.length > 0 ? `:${timer.ids.join(",")}` : ""}`;
  draft.due.push({ edit: editText(edit), image: draft.name, record: index, what, before, after });
  if (wanted < least)
    draft.notes.add(
      `${what} would have ${formatSeconds(wanted)} left; it gets the least there is and falls due at once`,
    );
  if (draft.options.restartTakes !== undefined)
    draft.notes.add(`${what}: falls due ${dueText(after, draft.options.restartTakes)}`);
}

function* timersOf(draft: StreamDraft): Generator<StreamTimer> {
  for (const { pid, tid, part } of streamTasks(draft)) {
    const own = (kind: RecordKind): number[] =>
      part.records.filter((index) => draft.image.kind(index) === kind && !draft.isDropped(index));
    for (const index of own(RECORDS.SIGNAL)) yield* intervalTimers(draft, index, pid);
    for (const index of own(RECORDS.RESTART_BLOCK)) {
      const call = waitingCall(draft, index, tid);
      if (call !== undefined) yield call;
    }
    for (const index of own(RECORDS.POSIX_TIMER)) {
      const { value_ns, interval_ns, timer_id } = draft.value(index, RECORDS.POSIX_TIMER);
      yield armable("posix", index, "value_ns", value_ns, interval_ns, [pid], [timer_id]);
    }
  }
  for (const { objref, part } of streamFiles(draft)) {
    const index = draft.reader.index(part, RECORDS.TIMERFD);
    if (index === undefined) continue;
    const { value_ns, interval_ns } = draft.value(index, RECORDS.TIMERFD);
    const holders = streamHolders(draft, objref);
    const pids = [...new Set(holders.flatMap((each) => each.pids))];
    yield armable(
      "timerfd",
      index,
      "value_ns",
      value_ns,
      interval_ns,
      pids,
      holders.map(({ fd }) => fd),
    );
  }
}

function* intervalTimers(draft: StreamDraft, index: number, pid: number): Generator<StreamTimer> {
  const signal = draft.value(index, RECORDS.SIGNAL);
  yield armable("real", index, "it_real_value", signal.it_real_value, signal.it_real_incr, [pid], []);
  yield armable("virtual", index, "it_virt_value", signal.it_virt_value, signal.it_virt_incr, [pid], []);
  yield armable("prof", index, "it_prof_value", signal.it_prof_value, signal.it_prof_incr, [pid], []);
}

function armable(
  word: TimerWord,
  index: number,
  field: string,
  left: bigint,
  interval: bigint,
  pids: readonly number[],
  ids: readonly number[],
): StreamTimer {
  const isArmed = left !== 0n || interval !== 0n;
  return { word, index, field, left, interval, pids, ids, mayBeZero: false, isArmed };
}

/** RESTART_BLOCK.function_type: 2 to 5 are kinds of nanosleep. */
const POLL = 6n;
const FUTEX = 7n;
const FIRST_CALL = 2n;
/** FLAGS_HAS_TIMEOUT of the kernel's futex.c. */
const FUTEX_HAS_TIMEOUT = 4n;

/** What is left of an interrupted call; undefined where none waits. */
function waitingCall(draft: StreamDraft, index: number, tid: number): StreamTimer | undefined {
  const block = draft.value(index, RECORDS.RESTART_BLOCK);
  const { function_type: type, arg_2, arg_4: left } = block;
  if (type < FIRST_CALL || type > FUTEX) return undefined;
  const word = type === POLL ? "poll" : type === FUTEX ? "futex" : "sleep";
  const isArmed =
    type === POLL ? arg_2 !== 0n : type !== FUTEX || (arg_2 & FUTEX_HAS_TIMEOUT) !== 0n || left !== 0n;
  return { word, index, field: "arg_4", left, interval: 0n, pids: [tid], ids: [], mayBeZero: true, isArmed };
}
