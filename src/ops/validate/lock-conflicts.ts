import { O_ACCMODE, O_RDONLY, O_WRONLY } from "../../linux/open-flags.js";
import type { OpenFile } from "../../model/checkpoint.js";
import type { Found, Place, RuleFacts } from "./finding.js";

/** Bytes that a lock covers, as both families store it. */
export interface Span {
  /** What is told of it: `posix`, `lease` … */
  readonly kind: string;
  readonly file: OpenFile;
  /** Locks of one owner do not exclude each other. */
  readonly owner: unknown;
  readonly start: bigint;
  /** The first byte behind it. */
  readonly end: bigint;
  readonly isWrite: boolean;
  readonly at: Place;
  /** `record 3 of task 1000, descriptor 4` */
  readonly holder: string;
}

/** The end of a lock that reaches to the end of the file. */
export const TO_THE_END = 1n << 63n;

/** Rules about locks that hold for both families. */
export const LOCK_FACTS = {
  conflict: {
    id: "LOCK_CONFLICT",
    level: "error",
    about: "No two holders have locks of one kind that exclude each other: restore would wait for ever.",
    mend: "Drop one of the locks with crimg edit.",
  },
  access: {
    id: "LOCK_ACCESS",
    level: "error",
    about:
      "A POSIX or OFD lock fits the access mode of its descriptor: the kernel refuses a write lock on one that only reads.",
    mend: "Drop the lock with crimg edit, or copy files.img again from where the set was made.",
  },
  lease: {
    id: "LEASE_ACCESS",
    level: "error",
    about: "A read lease is on a descriptor that only reads: the kernel refuses others.",
    mend: "Drop the lease with crimg edit, or copy files.img again from where the set was made.",
  },
} as const satisfies Readonly<Record<string, RuleFacts>>;

/** What is wrong with a POSIX or OFD lock on a file that was opened with these flags. */
export function accessProblem(flags: number, isWrite: boolean): Omit<Found, "at"> | undefined {
  const access = flags & O_ACCMODE;
  if (access !== (isWrite ? O_RDONLY : O_WRONLY)) return undefined;
  return {
    what: `a ${isWrite ? "write" : "read"} lock that the kernel refuses here`,
    expected: `a descriptor open for ${isWrite ? "writing" : "reading"}`,
    found: isWrite ? "open for reading only" : "open for writing only",
  };
}

/** What is wrong with a read lease on a file that was opened with these flags. */
export function readLeaseProblem(flags: number): Omit<Found, "at"> | undefined {
  if ((flags & O_ACCMODE) === O_RDONLY) return undefined;
  return {
    what: "a read lease on a descriptor that writes",
    expected: "open for reading only",
    found: "open for writing",
  };
}

/** A file as far as an image can tell two apart: its path and mount. */
export function fileKey(file: OpenFile): string {
  return `${(file.record.mnt_id as number | undefined) ?? -1} ${file.deleted?.keptIn ?? ""} ${file.path}`;
}

/** Locks of one kind on one file by different owners that overlap, one of them for writing. */
export function* conflicts(spans: Iterable<Span>): Generator<Found> {
  const groups = new Map<string, Span[]>();
  for (const span of spans) {
    // POSIX and OFD locks exclude each other as well (fcntl(2)).
    const kind = span.kind === "ofd" ? "posix" : span.kind;
    const key = `${kind} ${fileKey(span.file)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [span]);
    else group.push(span);
  }
  for (const group of groups.values()) yield* overlaps(group);
}

/**
 * Walks the spans by their start; only the writer and the two readers of different owners that reach furthest can
 * exclude one that starts later.
 */
function* overlaps(spans: Span[]): Generator<Found> {
  const sorted = spans.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  let writers: Span[] = [];
  let readers: Span[] = [];
  for (const span of sorted) {
    const rivals = span.isWrite ? [...writers, ...readers] : writers;
    const rival = rivals.find((other) => other.owner !== span.owner && other.end > span.start);
    if (rival !== undefined)
      yield { at: span.at, what: `a ${span.kind} lock that another holder's excludes`, found: rival.holder };
    if (span.isWrite) writers = furthest(writers, span);
    else readers = furthest(readers, span);
  }
}

/** The span that reaches furthest, and the one that does so among other owners. */
function furthest(known: readonly Span[], span: Span): Span[] {
  const [first, ...others] = [...known, span].sort((a, b) => (a.end > b.end ? -1 : a.end < b.end ? 1 : 0));
  const second = others.find((other) => other.owner !== first?.owner);
  return [first, second].filter((each) => each !== undefined);
}
