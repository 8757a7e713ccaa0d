import { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import { idOf, layoutOf, type RecordKind } from "../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { isCrimgError } from "../../../src/io/errors.js";
import { MemorySource } from "../../../src/io/source.js";
import type { StructField, StructTable } from "../../../src/schema/struct.js";
import { EDGE_NUMBERS, edgeBytes } from "../edges.js";
import type { Random } from "../random.js";

const KINDS: readonly RecordKind[] = Object.values(RECORDS);
const HEADER_BYTES = 8;
const REPEATED = 1000;
const MAX_REPEATED_BYTES = 256 * 1024;

/** Where a change is made: one record of a stream. */
interface Spot {
  readonly bytes: Buffer;
  readonly image: LinuxCrImage;
  readonly index: number;
  readonly random: Random;
}

type Changed = readonly [bytes: Buffer, what: string];

/** Changes one thing in a stream and says what. A stream that cannot be read any more loses a byte. */
export function changeStream(bytes: Buffer, random: Random): Changed {
  let image: LinuxCrImage;
  try {
    image = new LinuxCrImage(new MemorySource(bytes, "base"));
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    const at = random.below(bytes.length + 1);
    return [Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]), `without byte ${at}`];
  }
  const index = random.below(image.length);
  const spot = { bytes, image, index, random };
  const [changed, what] = random.pick(CHANGES)(spot);
  return [changed, `[${index}] ${image.label(index)}: ${what}`];
}

const CHANGES: readonly ((spot: Spot) => Changed)[] = [
  ...[field, field, field, field, field, field, field, field, field],
  ...[reference, reference, reference, reference],
  ...[
    header,
    header,
    payload,
    payload,
    payload,
    another,
    another,
    drop,
    double,
    swap,
    repeat,
    cut,
    flip,
    any,
  ],
];

function partOf({ image, bytes }: Spot, index: number): { start: number; end: number; part: Buffer } {
  const { offset, size } = image.range(index);
  const end = offset + size + (image.rawPage(index)?.size ?? 0);
  return { start: offset, end, part: bytes.subarray(offset, end) };
}

/** A field of a structure gets an edge, or the value that another record of the stream has in one of its fields. */
function field(spot: Spot): Changed {
  const { image, index, random } = spot;
  const table = image.layout(index);
  if (table === undefined || image.range(index).size < table.size) return flip(spot);
  const words = wordsOf(table);
  if (words.length === 0) return flip(spot);
  const word = random.pick(words);
  const value = random.pick(EDGE_NUMBERS);
  return [written(spot, word.offset, word.size, value), `${word.name} = ${value}`];
}

interface Word {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

function wordsOf(table: StructTable, start = 0, path = ""): Word[] {
  return Object.entries(table.fields).flatMap(([key, each]) =>
    Array.from({ length: Math.min(each.count ?? 1, 4) }, (_, i) =>
      wordOf(
        each,
        start + each.offset + i * each.size,
        `${path}${key}${each.count === undefined ? "" : `[${i}]`}`,
      ),
    ).flat(),
  );
}

function wordOf({ type, size }: StructField, offset: number, name: string): Word[] {
  return typeof type === "object"
    ? wordsOf(type, offset, `${name}.`)
    : [{ name, offset, size: Math.min(size, 8) }];
}

function written({ bytes, image, index }: Spot, at: number, size: number, value: bigint): Buffer {
  const copy = Buffer.from(bytes);
  const { offset } = image.range(index);
  let rest = BigInt.asUintN(size * 8, value);
  const isLittle = image.byteOrder === "little-endian";
  for (let i = 0; i < size; i++, rest >>= 8n)
    copy[offset + at + (isLittle ? i : size - 1 - i)] = Number(rest & 0xffn);
  return copy;
}

/** A number that names an object names another one, itself, or none. */
function reference(spot: Spot): Changed {
  const { image, index, random } = spot;
  const table = image.layout(index);
  const words = table === undefined || image.range(index).size < table.size ? [] : wordsOf(table);
  const refs = words.filter(
    ({ name, size }) => size === 4 && /ref|peer|this|ino|pid|tag|owner|parent/.test(name),
  );
  if (refs.length === 0) return elementReference(spot);
  const word = random.pick(refs);
  const value = random.pick([BigInt(random.below(80)), BigInt(random.below(80)), 0n, -1n, 2n ** 31n - 1n]);
  return [written(spot, word.offset, 4, value), `${word.name} = ${value}`];
}

/** In a payload of numbers, as the lists of tasks and of groups are. */
function elementReference(spot: Spot): Changed {
  const { image, index, random } = spot;
  const { offset, size } = image.payload(index);
  if (size < 4) return field(spot);
  const at = offset - image.range(index).offset + 4 * random.below(size >> 2);
  const value = random.pick([BigInt(random.below(80)), ...EDGE_NUMBERS]);
  return [written(spot, at, 4, value), `number at ${at} = ${value}`];
}

function header(spot: Spot): Changed {
  const { image, index, random } = spot;
  if (random.chance(0.3)) {
    const id = idOf(random.pick(KINDS), image.dialect.commit) ?? random.below(2 ** 31);
    return [written(spot, 0, 4, BigInt(id)), `of id ${id}`];
  }
  const { size } = image.range(index);
  const length = random.pick([0, 7, 8, size - 1, size + 1, size + 8, 2 ** 31, 2 ** 32 - 1]);
  return [written(spot, 4, 4, BigInt(length)), `of ${length} bytes`];
}

/** Another payload, with a header that says so. */
function payload(spot: Spot): Changed {
  const { image, index, random } = spot;
  const { start, part } = partOf(spot, index);
  const { size } = image.range(index);
  const fixed = image.payload(index).offset - start;
  const old = part.subarray(fixed, size);
  const fresh = random.pick<() => Buffer>([
    () => Buffer.alloc(0),
    () => old.subarray(0, Math.max(0, old.length - 1)),
    () => Buffer.concat([old, random.bytes(1 + random.below(9))]),
    () => Buffer.concat([old, old]),
    () => edgeBytes(random),
    () => Buffer.alloc(old.length, 0xff),
  ])();
  const head = Buffer.from(part.subarray(0, fixed));
  if (head.length >= HEADER_BYTES)
    if (image.byteOrder === "little-endian") head.writeUInt32LE(fixed + fresh.length, 4);
    else head.writeUInt32BE(fixed + fresh.length, 4);
  return [
    replaced(spot, index, Buffer.concat([head, fresh, part.subarray(size)])),
    `${fresh.length} bytes of payload`,
  ];
}

function another(spot: Spot): Changed {
  const { image, index, random } = spot;
  const other = random.below(image.length);
  return [replaced(spot, index, partOf(spot, other).part), `as [${other}] ${image.label(other)}`];
}

function drop(spot: Spot): Changed {
  return [replaced(spot, spot.index, Buffer.alloc(0)), "dropped"];
}

function double(spot: Spot): Changed {
  const { part } = partOf(spot, spot.index);
  return [replaced(spot, spot.index, Buffer.concat([part, part])), "twice"];
}

function swap(spot: Spot): Changed {
  const { bytes, index } = spot;
  if (index + 1 >= spot.image.length) return drop(spot);
  const first = partOf(spot, index);
  const second = partOf(spot, index + 1);
  return [
    Buffer.concat([bytes.subarray(0, first.start), second.part, first.part, bytes.subarray(second.end)]),
    "behind the next one",
  ];
}

function repeat(spot: Spot): Changed {
  const { part } = partOf(spot, spot.index);
  const count = Math.min(REPEATED, Math.ceil(MAX_REPEATED_BYTES / part.length));
  return [replaced(spot, spot.index, Buffer.concat(Array<Buffer>(count).fill(part))), `${count} times`];
}

function cut(spot: Spot): Changed {
  const { start, end } = partOf(spot, spot.index);
  const at = start + spot.random.pick([0, 1, 4, 8, spot.random.below(end - start)]);
  return [spot.bytes.subarray(0, at), `cut at ${at}`];
}

function flip({ bytes, image, index, random }: Spot): Changed {
  const { offset, size } = image.range(index);
  const at = offset + random.below(Math.min(size, 4096));
  const copy = Buffer.from(bytes);
  copy[at] = random.below(256);
  return [copy, `byte ${at} = ${copy[at]}`];
}

/** A record of any kind that the header set has, with fields of edges. */
function any(spot: Spot): Changed {
  const { image, index, random } = spot;
  const { dialect, byteOrder } = image;
  const kind = random.pick(KINDS.filter((each) => idOf(each, dialect.commit) !== undefined));
  const table = layoutOf(kind, dialect, 0, random.below(12));
  const body = Buffer.alloc((table?.size ?? HEADER_BYTES) - HEADER_BYTES);
  for (let at = 0; at + 4 <= body.length; at += 4)
    body.writeUInt32LE(Number(BigInt.asUintN(32, random.pick(EDGE_NUMBERS))), at);
  const rest = kind.payload === undefined ? Buffer.alloc(0) : edgeBytes(random);
  const record = Buffer.concat([Buffer.alloc(HEADER_BYTES), body, rest]);
  const id = idOf(kind, dialect.commit) as number;
  if (byteOrder === "little-endian") {
    record.writeUInt32LE(id, 0);
    record.writeUInt32LE(record.length, 4);
  } else {
    record.writeUInt32BE(id, 0);
    record.writeUInt32BE(record.length, 4);
  }
  return [
    replaced(spot, index, Buffer.concat([record, partOf(spot, index).part])),
    `behind any ${kind.name}`,
  ];
}

function replaced(spot: Spot, index: number, fresh: Buffer): Buffer {
  const { start, end } = partOf(spot, index);
  return Buffer.concat([spot.bytes.subarray(0, start), fresh, spot.bytes.subarray(end)]);
}
