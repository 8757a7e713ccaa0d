import { fieldScalar, wireTypeOf } from "../../../src/schema/decode.js";
import { type Field, fieldMessage, type MessageTable, type Scalar } from "../../../src/schema/message.js";
import { type WireSpan, type WireType, wireSpans } from "../../../src/schema/wire.js";
import { EDGE_NUMBERS, edgeBytes } from "../edges.js";
import type { Random } from "../random.js";

/** A message that was changed, and how. */
export interface Changed {
  readonly bytes: Buffer;
  readonly what: string;
}

/** What a change may look at. `ids` are numbers that mean something elsewhere in the set. */
interface Spot {
  readonly table: MessageTable;
  readonly bytes: Buffer;
  readonly spans: readonly WireSpan[];
  readonly random: Random;
  readonly ids: readonly bigint[];
}

type NamedField = readonly [name: string, field: Field];

const MAX_DEPTH = 4;

/** Changes one thing in an encoded message or in one of those inside it; the lengths around it stay right. */
export function changedMessage(
  table: MessageTable,
  bytes: Buffer,
  random: Random,
  ids: readonly bigint[],
): Changed {
  let spans: readonly WireSpan[];
  try {
    spans = wireSpans(bytes);
  } catch {
    return flipped(bytes, random);
  }
  const inner = spans.flatMap((span) => {
    const [name, field] = fieldOf(table, span) ?? [];
    const nested = field && fieldMessage(table, field);
    return nested === undefined || span.wireType !== 2 ? [] : [{ span, name, nested }];
  });
  if (inner.length > 0 && random.chance(0.7)) {
    const { span, name, nested } = random.pick(inner);
    const change = changedMessage(nested, bytes.subarray(span.contentStart, span.end), random, ids);
    const field = lengthField(span.number, change.bytes);
    return { bytes: replaced(bytes, span, field), what: `${name}.${change.what}` };
  }
  for (;;) {
    const change = random.pick(CHANGES)({ table, bytes, spans, random, ids });
    if (change !== undefined) return change;
  }
}

/** Any message of a table, its required fields always there, its numbers mostly edges or ids. */
export function anyMessage(table: MessageTable, random: Random, ids: readonly bigint[], depth = 0): Buffer {
  const parts: Buffer[] = [];
  for (const [, field] of Object.entries(table.fields)) {
    if (depth > MAX_DEPTH && field.label !== "required") continue;
    const count = field.label === "required" ? 1 : random.below(field.label === "repeated" ? 4 : 2);
    for (let i = 0; i < count; i++) parts.push(anyField(table, field, random, ids, depth));
  }
  return Buffer.concat(parts);
}

function anyField(
  owner: MessageTable,
  field: Field,
  random: Random,
  ids: readonly bigint[],
  depth: number,
): Buffer {
  const nested = fieldMessage(owner, field);
  if (nested !== undefined) return lengthField(field.number, anyMessage(nested, random, ids, depth + 1));
  return scalarField(field, random, ids);
}

function scalarField(field: Field, random: Random, ids: readonly bigint[]): Buffer {
  const type = fieldScalar(field) as Scalar;
  const wireType = wireTypeOf(type);
  if (wireType === 2) return lengthField(field.number, edgeBytes(random));
  const number = anyNumber(field, random, ids);
  if (wireType === 1) {
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(BigInt.asUintN(64, number));
    return Buffer.concat([tag(field.number, 1), word]);
  }
  return Buffer.concat([tag(field.number, 0), varint(number)]);
}

function anyNumber(field: Field, random: Random, ids: readonly bigint[]): bigint {
  const { type } = field;
  if (typeof type === "object" && type.kind === "enum" && random.chance(0.6))
    return BigInt(random.pick([...type.values.values()]));
  return ids.length > 0 && random.chance(0.5) ? random.pick(ids) : random.pick(EDGE_NUMBERS);
}

const CHANGES: readonly ((spot: Spot) => Changed | undefined)[] = [
  set,
  set,
  set,
  set,
  setAnew,
  setAnew,
  drop,
  double,
  moved,
  wrongType,
  unknown,
  unknown,
  longVarint,
  packed,
  lying,
  deep,
  many,
  ({ bytes, random }) => flipped(bytes, random),
];

function set({ table, bytes, spans, random, ids }: Spot): Changed | undefined {
  const known = spans.filter((span) => scalarOf(table, span) !== undefined);
  if (known.length === 0) return undefined;
  const span = random.pick(known);
  const [name, field] = fieldOf(table, span) as NamedField;
  const fresh = scalarField(field, random, ids);
  return { bytes: replaced(bytes, span, fresh), what: `${name} = ${shown(fresh)}` };
}

function setAnew({ table, bytes, random, ids }: Spot): Changed {
  const [name, field] = random.pick(Object.entries(table.fields));
  const fresh = anyField(table, field, random, ids, 1);
  return { bytes: Buffer.concat([bytes, fresh]), what: `${name} added ${shown(fresh)}` };
}

function drop({ table, bytes, spans, random }: Spot): Changed | undefined {
  if (spans.length === 0) return undefined;
  const span = random.pick(spans);
  return { bytes: replaced(bytes, span, Buffer.alloc(0)), what: `${nameOf(table, span)} dropped` };
}

function double({ table, bytes, spans, random }: Spot): Changed | undefined {
  if (spans.length === 0) return undefined;
  const span = random.pick(spans);
  const copy = bytes.subarray(span.start, span.end);
  const count = random.pick([2, 2, 3, 300]);
  return {
    bytes: replaced(bytes, span, Buffer.concat(Array(count).fill(copy))),
    what: `${nameOf(table, span)} ${count} times`,
  };
}

function moved({ table, bytes, spans, random }: Spot): Changed | undefined {
  if (spans.length < 2) return undefined;
  const span = random.pick(spans);
  const rest = replaced(bytes, span, Buffer.alloc(0));
  return {
    bytes: Buffer.concat([rest, bytes.subarray(span.start, span.end)]),
    what: `${nameOf(table, span)} last`,
  };
}

function wrongType({ table, bytes, spans, random }: Spot): Changed | undefined {
  if (spans.length === 0) return undefined;
  const span = random.pick(spans);
  const type = random.pick(([0, 1, 2, 5] as const).filter((each) => each !== span.wireType));
  return {
    bytes: replaced(bytes, span, fieldOfType(span.number, type, random)),
    what: `${nameOf(table, span)} with wire type ${type}`,
  };
}

function unknown({ table, bytes, random }: Spot): Changed {
  const known = new Set(Object.values(table.fields).map(({ number }) => number));
  const numbers = [15, 99, 999, 2 ** 28, 2 ** 29 - 1, ...Array.from({ length: 40 }, (_, i) => i + 1)];
  const number = random.pick(numbers.filter((each) => !known.has(each)));
  const type = random.pick([0, 1, 2, 5] as const);
  const field = fieldOfType(number, type, random);
  const parts = random.chance(0.5) ? [field, bytes] : [bytes, field];
  return {
    bytes: Buffer.concat(parts),
    what: `unknown field ${number} of wire type ${type} in ${table.name}`,
  };
}

function fieldOfType(number: number, type: WireType, random: Random): Buffer {
  if (type === 0) return Buffer.concat([tag(number, 0), varint(random.pick(EDGE_NUMBERS))]);
  if (type === 2) return lengthField(number, edgeBytes(random));
  return Buffer.concat([tag(number, type), random.bytes(type === 1 ? 8 : 4)]);
}

/** Varints of zeros behind the number, of 10 and of 11 bytes. */
function longVarint({ table, bytes, spans, random }: Spot): Changed | undefined {
  const varints = spans.filter(({ wireType }) => wireType === 0);
  if (varints.length === 0) return undefined;
  const span = random.pick(varints);
  const short = bytes.subarray(span.contentStart, span.end);
  const size = random.pick([short.length + 1, 10, 11]);
  const long = Buffer.alloc(Math.max(size, short.length + 1), 0x80);
  short.copy(long);
  long[short.length - 1] = (long[short.length - 1] as number) | 0x80;
  long[long.length - 1] = 0;
  return {
    bytes: replaced(bytes, span, Buffer.concat([tag(span.number, 0), long])),
    what: `${nameOf(table, span)} as a varint of ${long.length} bytes`,
  };
}

function packed({ table, bytes, random, ids }: Spot): Changed | undefined {
  const lists = Object.entries(table.fields).filter(
    ([, field]) => field.label === "repeated" && wireTypeOf(fieldScalar(field)) === 0,
  );
  if (lists.length === 0) return undefined;
  const [name, field] = random.pick(lists);
  const numbers = Array.from({ length: random.below(20) }, () => varint(anyNumber(field, random, ids)));
  const isPacked = random.chance(0.5);
  const fresh = isPacked
    ? lengthField(field.number, Buffer.concat(numbers))
    : Buffer.concat(numbers.flatMap((number) => [tag(field.number, 0), number]));
  return {
    bytes: Buffer.concat([bytes, fresh]),
    what: `${numbers.length} more of ${name}${isPacked ? ", packed" : ""}`,
  };
}

/** A length that is more or less than what stands behind it. */
function lying({ table, bytes, spans, random }: Spot): Changed | undefined {
  const long = spans.filter(({ wireType }) => wireType === 2);
  if (long.length === 0) return undefined;
  const span = random.pick(long);
  const size = BigInt(span.end - span.contentStart);
  const length = random.pick([0n, size - 1n, size + 1n, 1n << 31n, (1n << 32n) - 1n, 1n << 32n, 1n << 63n]);
  const fresh = Buffer.concat([
    tag(span.number, 2),
    varint(length),
    bytes.subarray(span.contentStart, span.end),
  ]);
  return { bytes: replaced(bytes, span, fresh), what: `${nameOf(table, span)} of ${length} bytes` };
}

/** Messages inside messages, as deep as there is room for. */
function deep({ table, bytes, random }: Spot): Changed | undefined {
  const inside = Object.entries(table.fields).filter(([, field]) => fieldMessage(table, field) !== undefined);
  if (inside.length === 0) return undefined;
  const [name, field] = random.pick(inside);
  const depth = random.pick([2, 60, 70, 2000]);
  let fresh: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) fresh = lengthField(field.number, fresh);
  return { bytes: Buffer.concat([bytes, fresh]), what: `${name} ${depth} deep` };
}

function many({ table, bytes, random, ids }: Spot): Changed | undefined {
  const lists = Object.entries(table.fields).filter(([, field]) => field.label === "repeated");
  if (lists.length === 0) return undefined;
  const [name, field] = random.pick(lists);
  const count = random.pick([10, 1000]);
  const one = anyField(table, field, random, ids, MAX_DEPTH);
  return {
    bytes: Buffer.concat([bytes, ...Array<Buffer>(count).fill(one)]),
    what: `${count} more of ${name}`,
  };
}

/** One byte changed. */
export function flipped(bytes: Buffer, random: Random): Changed {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return { bytes: random.bytes(3), what: "3 bytes added" };
  const at = random.below(copy.length);
  copy[at] = (copy[at] as number) ^ random.pick([1, 0x80, 0xff, 1 + random.below(255)]);
  return { bytes: copy, what: `byte ${at} is 0x${(copy[at] as number).toString(16)}` };
}

function fieldOf(table: MessageTable, { number }: WireSpan): NamedField | undefined {
  return Object.entries(table.fields).find(([, field]) => field.number === number);
}

function nameOf(table: MessageTable, span: WireSpan): string {
  return fieldOf(table, span)?.[0] ?? `field ${span.number}`;
}

function scalarOf(table: MessageTable, span: WireSpan): Scalar | undefined {
  const [, field] = fieldOf(table, span) ?? [];
  return field && fieldScalar(field);
}

function replaced(bytes: Buffer, { start, end }: WireSpan, fresh: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), fresh, bytes.subarray(end)]);
}

function tag(number: number, wireType: WireType): Buffer {
  return varint((BigInt(number) << 3n) | BigInt(wireType));
}

function lengthField(number: number, content: Buffer): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(content.length)), content]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function shown(field: Buffer): string {
  const hex = field.toString("hex");
  return hex.length > 40 ? `${hex.slice(0, 40)}…` : hex;
}
