import { createHash } from "node:crypto";
import type { ImageKind } from "../../formats/criu/image-kind.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CriuDocument } from "../../model/document.js";
import type { OpenFile } from "../../model/open-file.js";
import { type AnyValue, fieldMessage, type MessageTable } from "../../schema/message.js";
import type { Difference, FieldChange } from "./compare.js";
import { pairs } from "./pairs.js";
import { isComparedHere } from "./record-fields.js";
import { type Comparable, hex, type Side } from "./section.js";

/** Images ignored here: pages are compared by the section memory. */
const OTHERS: ReadonlySet<ImageKind> = new Set([IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP]);

/** Images with a pid or thread id in their name. */
const OF_TASKS: ReadonlySet<ImageKind> = new Set([...[IMAGES.CORE, IMAGES.IDS, IMAGES.MM, IMAGES.FS]]);

interface Record {
  /** The object it belongs to. */
  readonly key: string;
  readonly label: string;
  readonly table: MessageTable;
  readonly value: AnyValue;
  readonly bytes: Buffer;
}

/**
 * Differences in fields of CRIU records that no other section compares: the machine, terminal settings, socket options,
 * sysctls. Records are paired by the object they belong to; only fields that both have are compared.
 */
export function* diffRecords(left: Side, right: Side): Generator<Difference> {
  const found: { readonly at: number; readonly difference: Difference }[] = [];
  for (const pair of pairs(recordsOf(left), recordsOf(right), ({ key }) => key)) {
    const { label, table, value, bytes } = pair.left;
    if (bytes.equals(pair.right.bytes)) continue;
    const changes = [...changesOf(table, value, pair.right.value, "")];
    if (changes.length > 0)
      found.push({ at: pair.at, difference: { section: "records", status: "modified", label, changes } });
  }
  for (const { difference } of found.sort((a, b) => a.at - b.at)) yield difference;
}

function* recordsOf(side: Side): Generator<Record> {
  const { set } = side.document as CriuDocument;
  const names = ownerNames(side);
  const filesOf = openFilesByRecord(side);
  for (const { name, kind, id } of set.files) {
    if (kind?.magic === undefined || OTHERS.has(kind)) continue;
    const files = filesOf.get(name);
    for (const { index, value, table, bytes } of imageRecords(set, name)) {
      const file = files?.[index];
      const owner = file === undefined ? String(index) : ownerOf(side, file);
      const image = names.get(name) ?? (id === undefined ? kind.name : `${kind.name} ${id}`);
      yield { key: `${image} ${owner}`, label: `${name}[${index}]`, table, value, bytes };
    }
  }
}

function imageRecords(set: CriuImageSet, name: string) {
  return set.imageNamed(name)?.readRecords() ?? [];
}

/** Names for images: those of threads by the position of the thread, others with an id by their position in the kind. */
function ownerNames({ document, taskKey }: Side): ReadonlyMap<string, string> {
  const { set, checkpoint } = document as CriuDocument;
  const byId = new Map<number, string>();
  for (const task of checkpoint.tasks)
    for (const [i, { tid }] of [...task.threads.entries()].reverse())
      byId.set(tid, i === 0 ? taskKey(task.pid) : `${taskKey(task.pid)} ${i}`);
  const ghosts = new Map(checkpoint.deletedFiles.map(({ keptIn, path }) => [keptIn, path]));
  const names = new Map<string, string>();
  const counts = new Map<ImageKind, number>();
  for (const { name, kind, id } of set.files) {
    if (kind === undefined || id === undefined) continue;
    const nth = counts.get(kind) ?? 0;
    counts.set(kind, nth + 1);
    const owner = OF_TASKS.has(kind) ? byId.get(id) : ghosts.get(name);
    names.set(name, `${kind.name} ${owner ?? `#${nth}`}`);
  }
  return names;
}

/** The open files by image and record. */
function openFilesByRecord(side: Side): ReadonlyMap<string, readonly (OpenFile | undefined)[]> {
  const files = new Map<string, (OpenFile | undefined)[]>();
  for (const file of side.document.checkpoint.files.all) {
    const { image, record } = file.origin;
    const ofImage = files.get(image) ?? [];
    files.set(image, ofImage);
    ofImage[record] = file;
  }
  return files;
}

/** What stands for an open file, whose record another dump has elsewhere. */
function ownerOf(side: Side, file: OpenFile): string {
  return `${file.type} ${side.holder(file) ?? side.fileName(file) ?? file.label}`;
}

function* changesOf(
  table: MessageTable,
  old: AnyValue,
  fresh: AnyValue,
  path: string,
): Generator<FieldChange> {
  for (const [name, field] of Object.entries(table.fields)) {
    const [a, b] = [old[name], fresh[name]];
    if (a === undefined || b === undefined) continue;
    const nested = fieldMessage(table, field);
    const at = path === "" ? name : `${path}.${name}`;
    if (nested !== undefined) {
      const [as, bs] = [a, b].map((each) => (Array.isArray(each) ? each : [each])) as [
        AnyValue[],
        AnyValue[],
      ];
      // Lists of different lengths are compared by the sections that know their contents.
      if (as.length === bs.length)
        for (const [i, item] of as.entries())
          yield* changesOf(nested, item, bs[i] as AnyValue, Array.isArray(a) ? `${at}[${i}]` : at);
    } else if (isComparedHere(table.name, name)) {
      const [before, after] = [comparable(a), comparable(b)];
      if (before !== after) yield { field: at, old: before, new: after };
    }
  }
}

/** Long bytes and lists as a digest. */
const MAX_TEXT = 80;

function comparable(value: unknown): Comparable {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return hex(value);
  const text = Buffer.isBuffer(value)
    ? value.toString("hex")
    : JSON.stringify(value, (_key, item: unknown) =>
        typeof item === "bigint" ? `0x${item.toString(16)}` : item,
      );
  return text.length <= MAX_TEXT ? text : `SHA-256 ${createHash("sha256").update(text).digest("hex")}`;
}
