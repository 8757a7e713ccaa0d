import { fileNameOf, HEAD_MAGICS, kindOfFileName } from "../../../src/formats/criu/detect.js";
import { CriuImage, type ImageRecord } from "../../../src/formats/criu/image.js";
import type { ImageKind } from "../../../src/formats/criu/image-kind.js";
import { IMAGE_KINDS } from "../../../src/formats/criu/images.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { MemorySource } from "../../../src/io/source.js";
import type { Random } from "../random.js";
import { anyMessage, changedMessage, flipped } from "./wire.js";

/** What stands under a name of the set: bytes, or something that is no regular file. */
export type Content = Buffer | "directory" | "link" | "fifo";

/** The files of a set that is being changed. */
export interface Files {
  readonly content: Map<string, Content>;
  readonly ids: readonly bigint[];
}

const MAX_REPEATED_BYTES = 256 * 1024;

/** Changes one thing in one file of the set and says what; undefined when there was nothing to change. */
export function changeSet(files: Files, random: Random): string | undefined {
  const names = [...files.content].filter(([, content]) => Buffer.isBuffer(content)).map(([name]) => name);
  const images = names.filter((name) => kindOfFileName(name)?.kind.magic !== undefined);
  const name = random.pick(images.length > 0 && random.chance(0.95) ? images : names);
  const what = random.pick(CHANGES)(files, name, random);
  return what === undefined ? undefined : `${name}: ${what}`;
}

type Change = (files: Files, name: string, random: Random) => string | undefined;

const CHANGES: readonly Change[] = [
  ...Array<Change>(14).fill(inRecord),
  ...[records, records, records, sizeWord, cut, cut, addImage, addImage, addImage],
  ...[flip, magic, empty, gone, another, renamed, noFile],
];

function bytesOf({ content }: Files, name: string): Buffer {
  return content.get(name) as Buffer;
}

/** None for an image that cannot be read any more. */
function recordsOf(files: Files, name: string): readonly ImageRecord[] {
  const bytes = bytesOf(files, name);
  try {
    return new CriuImage(new MemorySource(bytes, name), name).records();
  } catch (error) {
    if (isCrimgError(error)) return [];
    throw error;
  }
}

function inRecord(files: Files, name: string, random: Random): string | undefined {
  const list = recordsOf(files, name);
  if (list.length === 0) return undefined;
  const record = random.pick(list);
  const change = changedMessage(record.table, record.bytes, random, files.ids);
  splice(files, name, record.offset - 4, record.offset + record.size, framed(change.bytes));
  return `[${record.index}].${change.what}`;
}

function records(files: Files, name: string, random: Random): string | undefined {
  const list = recordsOf(files, name);
  if (list.length === 0) return undefined;
  const { index, offset, end } = random.pick(list);
  const bytes = bytesOf(files, name);
  const start = offset - 4;
  const one = bytes.subarray(start, end);
  const how = random.pick(["drop", "double", "last", "repeat", "other"] as const);
  if (how === "drop") splice(files, name, start, end, Buffer.alloc(0));
  else if (how === "double") splice(files, name, end, end, one);
  else if (how === "repeat") {
    const count = Math.min(1000, Math.ceil(MAX_REPEATED_BYTES / one.length));
    splice(files, name, end, end, Buffer.concat(Array<Buffer>(count).fill(one)));
  } else if (how === "last") {
    splice(files, name, start, end, Buffer.alloc(0));
    splice(files, name, bytes.length - one.length, bytes.length - one.length, one);
  } else {
    const other = random.pick(list);
    splice(files, name, start, end, bytes.subarray(other.offset - 4, other.end));
  }
  return `record ${index}: ${how}`;
}

function sizeWord(files: Files, name: string, random: Random): string | undefined {
  const list = recordsOf(files, name);
  if (list.length === 0) return undefined;
  const { index, offset, size } = random.pick(list);
  const lie = random.pick([0, size - 1, size + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) >>> 0;
  const word = Buffer.alloc(4);
  word.writeUInt32LE(lie);
  splice(files, name, offset - 4, offset, word);
  return `record ${index} of ${lie} bytes`;
}

function cut(files: Files, name: string, random: Random): string {
  const bytes = bytesOf(files, name);
  const borders = recordsOf(files, name).flatMap(({ offset, end }) => [offset - 4, offset, end]);
  const at = borders.length > 0 && random.chance(0.5) ? random.pick(borders) : random.below(bytes.length + 1);
  const size = Math.max(0, at - random.below(2));
  files.content.set(name, bytes.subarray(0, size));
  return `cut at ${size}`;
}

/** An image of any kind, mostly one that the set refers to, of any records. */
function addImage(files: Files, _name: string, random: Random): string {
  const kind = random.pick(
    IMAGE_KINDS.filter(({ magic, status }) => magic !== undefined && status !== "unused"),
  );
  const id = Number(random.pick(files.ids.length > 0 ? files.ids : [1n]));
  const name = fileNameOf(kind, Math.abs(id)).replace("%s", "dump");
  const list = Array.from({ length: 1 + random.below(3) }, (_, i) => {
    const rule = kind.entries[Math.min(i, kind.entries.length - 1)];
    const message = rule === undefined ? Buffer.alloc(0) : anyMessage(rule.message, random, files.ids);
    return Buffer.concat([framed(message), random.bytes(kind.payload.length > 0 ? random.below(40) : 0)]);
  });
  const old = random.chance(0.5) ? files.content.get(name) : undefined;
  files.content.set(name, Buffer.concat([Buffer.isBuffer(old) ? old : headOf(kind), ...list]));
  return `${list.length} any records in ${name}`;
}

function flip(files: Files, name: string, random: Random): string {
  const { bytes, what } = flipped(bytesOf(files, name), random);
  files.content.set(name, bytes);
  return what;
}

function magic(files: Files, name: string, random: Random): string {
  const kind = random.pick(IMAGE_KINDS.filter((each) => each.magic !== undefined));
  const head = headOf(kind);
  files.content.set(name, Buffer.concat([head, bytesOf(files, name).subarray(head.length)]));
  return `the magic of ${kind.name}`;
}

function empty(files: Files, name: string): string {
  files.content.set(name, Buffer.alloc(0));
  return "empty";
}

function gone(files: Files, name: string): string {
  files.content.delete(name);
  return "gone";
}

function another(files: Files, name: string, random: Random): string {
  const other = random.pick([...files.content].filter(([, content]) => Buffer.isBuffer(content)));
  const own = bytesOf(files, name);
  files.content.set(name, other[1]);
  files.content.set(other[0], own);
  return `swapped with ${other[0]}`;
}

function renamed(files: Files, name: string, random: Random): string {
  const id = random.pick([
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "0",
    "1",
    "-1",
    "007",
    "ffffffff",
  ]);
  const fresh = name.replace(/-[0-9a-f]+(?=[.-])/, `-${id}`);
  files.content.set(fresh, bytesOf(files, name));
  if (random.chance(0.5)) files.content.delete(name);
  return `is ${fresh}`;
}

function noFile(files: Files, name: string, random: Random): string {
  const sort = random.pick(["directory", "link", "fifo"] as const);
  files.content.set(name, sort);
  return `a ${sort}`;
}

function splice(files: Files, name: string, start: number, end: number, fresh: Buffer): void {
  const bytes = bytesOf(files, name);
  files.content.set(name, Buffer.concat([bytes.subarray(0, start), fresh, bytes.subarray(end)]));
}

function headOf(kind: ImageKind): Buffer {
  const words =
    kind.head === "none" ? [kind.magic as number] : [HEAD_MAGICS[kind.head], kind.magic as number];
  const head = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) head.writeUInt32LE(word, i * 4);
  return head;
}

function framed(message: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(message.length);
  return Buffer.concat([size, message]);
}
