import { UnsupportedError, UsageError } from "../../../io/errors.js";
import { NANOSECONDS, NSEC_PER_USEC } from "../../../linux/time.js";
import type { DescriptorTable } from "../../../model/open-file.js";
import { isArmed, isCall, isIntervalTimer, type Timer, type TimerKind } from "../../../model/timer.js";
import { dueText } from "../due.js";
import { changedTime, formatSeconds, parseTimeChange, type TimeChange } from "../duration.js";
import type { Editor } from "../editor.js";
import { firstOf } from "../held-files.js";
import type { EditKind, Parsed } from "../kind.js";
import { editText } from "../plan.js";

const WORDS = ["real", "virtual", "prof", "posix", "timerfd", "sleep", "poll", "futex", "all"] as const;
type TimerWord = (typeof WORDS)[number];

interface Expiry {
  readonly kind: TimerWord;
  readonly pid: number | undefined;
  /** Id of a POSIX timer, descriptor of a timerfd. */
  readonly id: number | undefined;
  readonly change: TimeChange;
}

/** A timer with what names it. */
interface NamedTimer extends Holders {
  readonly timer: Timer;
}

interface Holders {
  /** Processes that have it, or the thread that made the call. */
  readonly pids: ReadonlySet<number>;
  /** Id of a POSIX timer, descriptors of a timerfd. */
  readonly ids: ReadonlySet<number>;
}

/** `--expiry KIND[SELECTOR]=±DURATION`: what is left of timers, counted from the checkpoint for all of them. */
export const expiry: EditKind<Expiry> = {
  name: "expiry",
  syntax: "KIND[PID:ID]=±DURATION|=DURATION|xN",
  summary:
    "add to, set or scale what is left of timers: real, virtual, prof, posix, timerfd or all; in streams also of calls: sleep, poll, futex",
  parse: parseExpiry,
  lookedFor: ({ kind, pid, id }) =>
    `no ${kind === "all" ? "" : `${kind} `}timer${pid === undefined ? "" : ` of task ${pid}`}${id === undefined ? "" : ` with id ${id}`} is armed`,
  plan(edits, editor) {
    for (const parsed of edits) {
      const { kind } = parsed.args;
      if ((kind === "sleep" || kind === "poll" || kind === "futex") && !editor.holdsAllTimes)
        throw new UnsupportedError(
          `CRIU stores nothing of the time that a ${kind} has left: the call is made again with what the program gave it`,
          { file: editor.name },
        );
      for (const named of namedTimers(editor)) if (isMeant(named, parsed.args)) adjust(editor, parsed, named);
    }
  },
};

function parseExpiry(text: string): Expiry {
  const [, word, pid, id, rest] = /^(\w+)(?:\[(\d+)(?::(\d+))?\])?=(.+)$/s.exec(text) ?? [];
  const kind = WORDS.find((each) => each === word);
  if (kind === undefined || rest === undefined)
    throw new UsageError(
      `invalid ${JSON.stringify(text)} (expected KIND=±DURATION with KIND one of ${WORDS.join(", ")}, e.g. real=+30s or posix[4711:0]=x2)`,
    );
  return {
    kind,
    pid: pid === undefined ? undefined : Number(pid),
    id: id === undefined ? undefined : Number(id),
    change: parseTimeChange(rest),
  };
}

function namedTimers(editor: Editor): NamedTimer[] {
  const { tasks, timerfds } = editor.checkpoint;
  const all: NamedTimer[] = [];
  const seen = new Set<string>();
  for (const { pid, timers } of tasks) {
    const own = new Set([pid]);
    for (const timer of timers) {
      const { kind, id, origin } = timer;
      // Tasks of a stream may share their interval timers; the first has them.
      const key = `${origin.image} ${origin.record} ${origin.field} ${kind}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const pids = isCall(kind) && id !== undefined ? new Set([id]) : own;
      all.push({ timer, pids, ids: kind === "posix" ? new Set([id ?? 0]) : NOBODY.ids });
    }
  }
  if (timerfds.length === 0) return all;
  const holders = holdersOf(editor);
  for (const timer of timerfds) all.push({ timer, ...(holders.get(timer.id ?? 0) ?? NOBODY) });
  return all;
}

const NOBODY: Holders = { pids: new Set(), ids: new Set() };

/** Who holds each timerfd, by the id of its open file, and by which descriptors. */
function holdersOf({ checkpoint }: Editor): Map<number, Holders> {
  const tables = new Map<number, { readonly table: DescriptorTable; readonly pids: Set<number> }>();
  for (const { pid, descriptors: table } of checkpoint.tasks)
    if (table !== undefined) {
      const known = tables.get(table.id);
      if (known === undefined) tables.set(table.id, { table, pids: new Set([pid]) });
      else known.pids.add(pid);
    }
  const holders = new Map<number, { pids: Set<number>; ids: Set<number>; last: Set<number> }>();
  for (const { table, pids } of tables.values())
    for (const { fd, type, fileId } of table.descriptors) {
      if (type !== "TIMERFD") continue;
      const known = holders.get(fileId);
      if (known === undefined) {
        // The timerfds of one table share the set of its tasks.
        holders.set(fileId, { pids, ids: new Set([fd]), last: pids });
        continue;
      }
      known.ids.add(fd);
      if (known.last === pids) continue;
      if (known.pids === known.last) known.pids = new Set(known.pids);
      known.last = pids;
      for (const pid of pids) known.pids.add(pid);
    }
  return holders;
}

function isMeant({ timer, pids, ids }: NamedTimer, { kind, pid, id }: Expiry): boolean {
  if (kind !== "all" && kind !== wordOf(timer.kind)) return false;
  return (pid === undefined || pids.has(pid)) && (id === undefined || ids.has(id));
}

function wordOf(kind: TimerKind): TimerWord {
  return kind === "nanosleep" ? "sleep" : kind;
}

function adjust(editor: Editor, { edit, args }: Parsed<Expiry>, { timer, pids, ids }: NamedTimer): void {
  const { kind, left, interval, origin } = timer;
  if (!isArmed(timer)) {
    // Every task has three interval timers, mostly idle: only who asks for them hears of them.
    if (args.kind !== "all") editor.leaveObject(edit, "timer", timer, left, "a timer that is not armed");
    return;
  }
  // Without time left the restore arms the timer with its interval.
  const before = left === 0n && !isCall(kind) ? interval : left;
  const wanted = changedTime(before, args.change);
  // A timer with 0 left would not be armed, and setitimer(2) counts microseconds.
  const unit = isIntervalTimer(kind) ? NSEC_PER_USEC : 1n;
  const least = isCall(kind) ? 0n : unit;
  const after = wanted < least ? least : wanted - (wanted % unit);
  if (after > NANOSECONDS.max)
    throw new UsageError(
      `invalid time ${formatSeconds(after)} (expected at most ${formatSeconds(NANOSECONDS.max)}, the maximum of a timer)`,
    );
  const what = `${wordOf(kind)} of ${firstOf(pids, ",")}${ids.size > 0 ? `:${firstOf(ids, ",")}` : ""}`;
  editor.changeObject(edit, "timer", timer, { left: after }, () => what);
  editor.due.push({
    edit: editText(edit),
    image: editor.imageOf(origin),
    record: origin.record,
    ...{ what, before, after },
  });
  if (wanted < least)
    editor.notes.add(
      `${what} would have ${formatSeconds(wanted)} left; it gets the least there is and falls due at once`,
    );
  const { restartTakes } = editor.options;
  if (restartTakes !== undefined) editor.notes.add(`${what}: falls due ${dueText(after, restartTakes)}`);
}
