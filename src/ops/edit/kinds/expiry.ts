import { ITIMER_ENTRY, POSIX_TIMER_ENTRY, TIMERFD_ENTRY } from "../../../formats/criu/tables/timer.js";
import { UnsupportedError, UsageError } from "../../../io/errors.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import type { AnyValue, MessageTable } from "../../../schema/message.js";
import { type FieldPath, formatPath } from "../../../schema/patch.js";
import { descriptors, typeOf } from "../descriptors.js";
import type { Draft, Found } from "../draft.js";
import { changedTime, formatSeconds, parseTimeChange, type TimeChange } from "../duration.js";
import type { EditKind, Parsed } from "../kind.js";

/** The kernel keeps times in 63 bits of nanoseconds; more seconds than this are cut there. */
const MAX_SECONDS = 9_223_372_036n;

/** Restart blocks: what is left of a system call that was interrupted. */
const CALLS = ["sleep", "poll", "futex"] as const;
const WORDS = ["real", "virtual", "prof", "posix", "timerfd", ...CALLS, "all"] as const;
export type TimerWord = (typeof WORDS)[number];

export interface Expiry {
  readonly kind: TimerWord;
  readonly pid: number | undefined;
  /** Id of a POSIX timer, descriptor of a timerfd. */
  readonly id: number | undefined;
  readonly change: TimeChange;
}

/** How a message keeps the time that is left: seconds and a fraction in units of `unit` nanoseconds. */
interface TimerTable {
  readonly table: MessageTable;
  readonly fraction: "usec" | "nsec";
  readonly unit: bigint;
}

const TABLES: readonly TimerTable[] = [
  { table: ITIMER_ENTRY, fraction: "usec", unit: 1_000n },
  { table: POSIX_TIMER_ENTRY, fraction: "nsec", unit: 1n },
  { table: TIMERFD_ENTRY, fraction: "nsec", unit: 1n },
];

type FoundTimer = Found<{ readonly path: FieldPath; readonly value: AnyValue }>;

/** `--expiry KIND[SELECTOR]=±DURATION`: what is left of timers, counted from the checkpoint for all of them. */
export const expiry: EditKind<Expiry, Draft> = {
  name: "expiry",
  syntax: "KIND[PID:ID]=±DURATION|=DURATION|xN",
  summary:
    "add to, set or scale what is left of timers: real, virtual, prof, posix, timerfd or all; in streams also of calls: sleep, poll, futex",
  parse: parseExpiry,
  lookedFor: ({ kind, pid, id }) =>
    `no ${kind === "all" ? "" : `${kind} `}timer${pid === undefined ? "" : ` of task ${pid}`}${id === undefined ? "" : ` with id ${id}`} is armed`,
  plan(edits, draft) {
    for (const { args } of edits)
      if (CALLS.some((word) => word === args.kind))
        throw new UnsupportedError(
          `CRIU stores nothing of the time that a ${args.kind} has left: the call is made again with what the program gave it`,
          { file: draft.set.name },
        );
    for (const timers of TABLES)
      draft.eachMessage(timers.table, (found) => {
        for (const each of edits)
          if (isMeant(draft, timers.table, found as FoundTimer, each.args))
            adjust(draft, timers, found as FoundTimer, each);
      });
  },
};

function parseExpiry(text: string): Expiry {
  const [, word, pid, id, rest] = /^(\w+)(?:\[(\d+)(?::(\d+))?\])?=(.+)$/s.exec(text) ?? [];
  const kind = WORDS.find((each) => each === word);
  if (kind === undefined || rest === undefined)
    throw new UsageError(
      `${JSON.stringify(text)} is not KIND=±DURATION with KIND one of ${WORDS.join(", ")}, as in real=+30s or posix[4711:0]=x2`,
    );
  return {
    kind,
    pid: pid === undefined ? undefined : Number(pid),
    id: id === undefined ? undefined : Number(id),
    change: parseTimeChange(rest),
  };
}

function isMeant(draft: Draft, table: MessageTable, found: FoundTimer, { kind, pid, id }: Expiry): boolean {
  const own = kindOf(table, found);
  if (kind !== "all" && kind !== own) return false;
  if (pid === undefined) return true;
  if (own === "timerfd")
    return descriptors(draft).some(
      (each) =>
        typeOf(each) === "TIMERFD" &&
        each.value.id === found.value.id &&
        each.pids.includes(pid) &&
        (id === undefined || each.value.fd === id),
    );
  const file = draft.set.files.find(({ name }) => name === found.image.fileName);
  return file?.id === pid && (id === undefined || (own === "posix" && found.value.it_id === id));
}

/** Interval timers stand under their names, or as three records in sets before criu 1.3. */
function kindOf(table: MessageTable, { path, record }: FoundTimer): TimerWord {
  if (table === POSIX_TIMER_ENTRY) return "posix";
  if (table === TIMERFD_ENTRY) return "timerfd";
  const name = path.at(-1) ?? ["real", "virt", "prof"][record.index];
  return name === "virt" ? "virtual" : name === "prof" ? "prof" : "real";
}

function adjust(
  draft: Draft,
  { table, fraction, unit }: TimerTable,
  { image, record, path, value }: FoundTimer,
  { edit, args }: Parsed<Expiry>,
): void {
  const time = (letter: "v" | "i"): bigint =>
    (value[`${letter}sec`] as bigint) * NSEC_PER_SEC + (value[`${letter}${fraction}`] as bigint) * unit;
  const left = time("v");
  const interval = time("i");
  const place = { image: image.fileName, record: record.index, field: formatPath(path) || "vsec" };
  if (left === 0n && interval === 0n) {
    draft.leave(edit, { ...place, value: 0n, why: "a timer that is not armed" });
    return;
  }
  // Without time left the restore arms the timer with its interval.
  const wanted = changedTime(left === 0n ? interval : left, args.change);
  const kind = kindOf(table, { image, record, path, value });
  const least = wanted < unit ? unit : wanted;
  if (least !== wanted)
    draft.notes.add(
      `a ${kind} timer (${place.image}, ${place.field}) would have ${formatSeconds(wanted)} left; 0 means not armed, so it gets the least there is and fires at once`,
    );
  if (least / NSEC_PER_SEC > MAX_SECONDS)
    throw new UsageError(`${formatSeconds(least)} is more than a timer of Linux holds (${MAX_SECONDS} s)`);
  draft.change(edit, image, record, [...path, "vsec"], least / NSEC_PER_SEC);
  draft.change(edit, image, record, [...path, `v${fraction}`], (least % NSEC_PER_SEC) / unit);
}
