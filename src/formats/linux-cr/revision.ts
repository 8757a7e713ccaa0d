import type { ByteOrder } from "../../io/byte-order.js";
import type { RecordIndex } from "./record-index.js";
import { type Dialect, layoutOf, type RecordKind } from "./record-kind.js";
import { isExtensionId } from "./records/extensions.js";
import { RECORDS, recordKinds } from "./records.js";
import { ARCHITECTURES, archNumbering, COMMITS, isSince, REVISIONS } from "./revisions.js";

/** The header set of an image. */
export interface Revision {
  /** The newest match; all matches have the same layouts for the records of the image. */
  readonly dialect: Dialect;
  /** All matches, oldest first. */
  readonly candidates: readonly Dialect[];
  /** Signs that contradict the others, as text. */
  readonly doubts: readonly string[];
}

/** Reads a u16, u32 or u64 of a record; `offset` is from its start. */
export interface Peek {
  u16(record: number, offset: number): number;
  u32(record: number, offset: number): number;
}

/** An independent sign: the header sets that it matches. */
interface Sign {
  readonly text: string;
  fits(dialect: Dialect): boolean;
}

const CONTAINER = 3;
const BUFFER = 4;
const PIDS = 101;
const VPIDS = 118;
const SIGPENDING = 604;
/** BUFFER with the 11 bytes of a security module's name. */
const LSM_NAME_BYTES = 19;
/** auxv has about 20 entries; a larger number is in bytes. */
const MAX_AUXV_ENTRIES = 128;
/** Maximum number of lengths checked per id; a FILE has five, most records one. */
const MAX_SIZES = 16;
/** TREE up to its number of tasks. */
const TREE_BYTES = 12;
/** Records before the first TASK: as many as the longest head has. */
const HEAD_RECORDS = 14;

/**
 * Narrows down the header sets and architectures to those that match every sign: the numbers in HEADER, the records of
 * the head, and the length of each record. A sign that would leave none is ignored and reported as a doubt.
 */
export function findRevision(index: RecordIndex, byteOrder: ByteOrder, peek: Peek): Revision {
  const archId = peek.u16(0, 16);
  const everything = COMMITS.flatMap((commit): Dialect[] =>
    archNumbering(commit).map((arch) => ({ commit, arch: ARCHITECTURES[arch] })),
  );
  let candidates = everything;
  const doubts: string[] = [];
  const signs = [
    { text: `the byte order is ${byteOrder}`, fits: ({ arch }: Dialect) => arch.byteOrder === byteOrder },
    {
      text: `arch_id is ${archId}`,
      fits: ({ commit, arch }: Dialect) => {
        const id = archNumbering(commit)[archId - 1];
        return id !== undefined && ARCHITECTURES[id] === arch;
      },
    },
    ...headSigns(index, peek),
    ...sizeSigns(index),
    ...signalSigns(index, peek),
  ];
  for (const { text, fits } of signs) {
    const left = candidates.filter(fits);
    if (left.length > 0) candidates = left;
    else doubts.push(text);
  }
  return { dialect: candidates.at(-1) as Dialect, candidates, doubts };
}

function headSigns(index: RecordIndex, peek: Peek): Sign[] {
  const version = peek.u16(0, 24);
  const versions = new Map(REVISIONS.map((revision) => [revision.commit, revision.version]));
  const auxv = peek.u16(0, 34);
  const signs: Sign[] = [
    { text: `rev is ${version}`, fits: ({ commit }) => versions.get(commit) === version },
    {
      text: `the size of auxv is given as ${auxv}`,
      fits: ({ commit }) => auxv > MAX_AUXV_ENTRIES !== isSince(commit, "67cfee9"),
    },
  ];
  const container = recordAt(index, CONTAINER);
  if (container === undefined || container + 1 >= index.length) return signs;
  const next = container + 1;
  const hasLsm = index.id(next) === BUFFER && index.size(next) === LSM_NAME_BYTES;
  signs.push({
    text: hasLsm ? "CONTAINER names a security module" : "CONTAINER names no security module",
    fits: ({ commit }) => hasLsm === isSince(commit, "d55d4c8"),
  });
  const tree = next + (hasLsm ? 2 : 0);
  const hasPids = index.id(tree) === PIDS && index.size(tree) === 24;
  signs.push({
    text: hasPids ? "there is a PIDS record" : "there is no PIDS record",
    fits: ({ commit }) => hasPids === isSince(commit, "b6cdf01"),
  });
  return hasPids || tree + 1 >= index.length ? signs : [...signs, ...taskArraySigns(index, peek, tree)];
}

/** Signs in TREE and the records after it, before there were PIDS. */
function taskArraySigns(index: RecordIndex, peek: Peek, tree: number): Sign[] {
  const signs: Sign[] = [];
  if (index.size(tree) < TREE_BYTES) return signs;
  const tasks = peek.u32(tree, 8);
  const elementBytes = (index.size(tree + 1) - 8) / tasks;
  if (elementBytes === 24 || elementBytes === 32)
    signs.push({
      text: `TREE has ${elementBytes} bytes per task`,
      fits: ({ commit }) => (elementBytes === 32) === (commit === "c83f38b"),
    });
  const after = tree + 2;
  const isVpids = index.id(after) === VPIDS && index.size(after) === 16;
  if (isVpids || index.id(after) === BUFFER)
    signs.push({
      text: isVpids ? "there is a VPIDS record" : "there are ids of pid namespaces after TREE",
      fits: ({ commit }) =>
        isVpids === (commit === "c83f38b" || commit === "78d18cf") && isSince(commit, "c83f38b"),
    });
  return signs;
}

function recordAt(index: RecordIndex, id: number): number | undefined {
  for (let i = 0; i < Math.min(HEAD_RECORDS, index.length); i++) if (index.id(i) === id) return i;
  return undefined;
}

/** Each pair of an id and a length is a sign: it matches the header sets with such a record. */
function sizeSigns(index: RecordIndex): Sign[] {
  const sizes = new Map<number, Set<number>>();
  for (let i = 0; i < index.length; i++) {
    const id = index.id(i) as number;
    let seen = sizes.get(id);
    if (seen === undefined) {
      seen = new Set();
      sizes.set(id, seen);
    }
    if (seen.size < MAX_SIZES) seen.add(index.size(i));
  }
  return [...sizes]
    .filter(([id]) => !isExtensionId(id) && COMMITS.some((commit) => recordKinds(commit).has(id)))
    .flatMap(([id, all]) =>
      [...all].map((size) => ({
        text: `a record of id ${id} has ${size} bytes`,
        fits: (dialect: Dialect) => {
          const kind = recordKinds(dialect.commit).get(id);
          return kind !== undefined && fitsLength(kind, dialect, size);
        },
      })),
    );
}

/** The kinds of FILE whose layout has a distinct length. */
const FILE_TYPES = [undefined, 2, 4, 5, 7] as const;

/** Whether a record of this kind can have this length. */
export function fitsLength(kind: RecordKind, dialect: Dialect, size: number): boolean {
  if (kind === RECORDS.FILE)
    return FILE_TYPES.some((type) => layoutOf(kind, dialect, size, type)?.size === size);
  const fixed = kind.payloadAt ?? layoutOf(kind, dialect, size)?.size ?? 8;
  return kind.payload === undefined ? fixed === size : fixed <= size;
}

/** siginfo grew from 48 to 88 bytes. */
function signalSigns(index: RecordIndex, peek: Peek): Sign[] {
  for (let i = 0; i < index.length; i++) {
    if (index.id(i) !== SIGPENDING || index.size(i) <= 24) continue;
    const count = peek.u32(i, 8);
    const each = (index.size(i) - 24) / count;
    if (each === 48 || each === 88)
      return [
        {
          text: `a siginfo has ${each} bytes`,
          fits: ({ commit }) => (each === 88) === isSince(commit, "f0fdd38"),
        },
      ];
  }
  return [];
}
