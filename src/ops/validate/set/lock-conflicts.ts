import type { OpenFile } from "../../../model/checkpoint.js";
import type { Found } from "../finding.js";
import { KIND, kindName, type StoredLock, WRITE } from "../stored-locks.js";

interface Span {
  readonly lock: StoredLock;
  readonly owner: unknown;
  readonly start: bigint;
  readonly end: bigint;
  readonly isWrite: boolean;
}

const TO_THE_END = 1n << 63n;
/** LOCK_MAND of flock(2), which excludes nothing. */
const MANDATORY = 32;

/** Locks of one kind on one file by different owners that overlap, one of them for writing. */
export function* conflicts(locks: readonly StoredLock[]): Generator<Found> {
  const groups = new Map<string, Span[]>();
  for (const lock of locks) {
    const span = spanOf(lock);
    if (span === undefined) continue;
    // POSIX and OFD locks exclude each other as well (fcntl(2)).
    const kind = lock.entry.flag === KIND.ofd ? KIND.posix : lock.entry.flag;
    const key = `${kind} ${fileKey(lock.file as OpenFile)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [span]);
    else group.push(span);
  }
  for (const spans of groups.values()) yield* overlaps(spans);
}

function spanOf(lock: StoredLock): Span | undefined {
  const { entry, file } = lock;
  if (file?.path === undefined || entry.start < 0n || entry.len < 0n) return undefined;
  if (entry.flag === KIND.lease || (entry.flag === KIND.flock && (entry.type & MANDATORY) !== 0))
    return undefined;
  const end = entry.len === 0n ? TO_THE_END : entry.start + entry.len;
  const owner = entry.flag === KIND.posix ? entry.pid : file;
  return { lock, owner, start: entry.start, end, isWrite: entry.type === WRITE };
}

/** A file as far as the set can tell two apart: its path and mount. */
function fileKey(file: OpenFile): string {
  return `${(file.record.mnt_id as number | undefined) ?? -1} ${file.deleted?.keptIn ?? ""} ${file.path}`;
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
      yield {
        at: span.lock.at,
        what: `a ${kindName(span.lock.entry.flag)} lock that another holder's excludes`,
        found: `record ${rival.lock.at.record} of task ${rival.lock.entry.pid}, descriptor ${rival.lock.entry.fd}`,
      };
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
