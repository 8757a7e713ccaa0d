import fc from "fast-check";
import { bytesToText } from "../../src/io/text.js";
import { fieldScalar } from "../../src/schema/decode.js";
import {
  type AnyValue,
  type Field,
  fieldMessage,
  type MessageTable,
  type Scalar,
} from "../../src/schema/message.js";
import { WireWriter } from "../../src/schema/wire.js";

const MAX_DEPTH = 3;
const [LF, CR] = [10, 13];

const SCALARS: Readonly<Record<Scalar, fc.Arbitrary<unknown>>> = {
  uint32: fc.nat({ max: 0xffffffff }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fixed64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  int32: fc.integer(),
  sint32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  sint64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bool: fc.boolean(),
  string: fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    someBytes().map((bytes) => bytesToText(bytes)),
  ),
  bytes: someBytes(),
};

function someBytes(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes));
}

export interface ValuesOptions {
  /** Only strings of UTF-8 and known enum values, for readers that change the others. */
  readonly tame?: boolean;
  /** Fields to leave out, unless they are required. */
  readonly without?: (field: Field) => boolean;
}

/** Values of a message, required fields always there; strings of any bytes and enums of any number unless `tame`. */
export function valuesOf(
  table: MessageTable,
  options: ValuesOptions = {},
  depth = 0,
): fc.Arbitrary<AnyValue> {
  const required: Record<string, fc.Arbitrary<unknown>> = {};
  const optional: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(table.fields)) {
    const one = oneOf(table, field, options, depth);
    const isLeftOut = options.without?.(field) === true;
    if (field.label === "required") required[name] = one;
    else if (field.label === "repeated")
      required[name] = depth >= MAX_DEPTH || isLeftOut ? fc.constant([]) : listOf(field, one, options);
    else if (isLeftOut) continue;
    else if (depth < MAX_DEPTH || fieldMessage(table, field) === undefined) optional[name] = one;
  }
  return fc
    .record({ ...required, ...optional }, { requiredKeys: Object.keys(required), noNullPrototype: true })
    .map((value) => withoutUndefined(value));
}

function oneOf(
  owner: MessageTable,
  field: Field,
  options: ValuesOptions,
  depth: number,
): fc.Arbitrary<unknown> {
  const nested = fieldMessage(owner, field);
  if (nested !== undefined) return fc.constant(null).chain(() => valuesOf(nested, options, depth + 1));
  if (typeof field.type === "object" && field.type.kind === "enum") {
    const known = fc.constantFrom(...field.type.values.values());
    return options.tame
      ? known
      : fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: fc.integer() });
  }
  if (options.tame && field.show?.as === "unix-name")
    return someBytes().map((bytes) => Buffer.from(bytes.filter((byte) => byte !== CR && byte !== LF)));
  if (options.tame && field.type === "string") return fc.string({ unit: "binary" });
  return SCALARS[fieldScalar(field) as Scalar];
}

/** crit takes only lists of one or four words for IP addresses. */
function listOf(field: Field, one: fc.Arbitrary<unknown>, { tame }: ValuesOptions): fc.Arbitrary<unknown[]> {
  if (tame !== true || field.show?.as !== "ip") return fc.array(one, { maxLength: 3 });
  return fc.constantFrom(1, 4).chain((length) => fc.array(one, { minLength: length, maxLength: length }));
}

function withoutUndefined(value: AnyValue): AnyValue {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as AnyValue;
}

/**
 * A message as another writer might encode it: fields in any order, varints longer than needed, unknown fields, known
 * fields with another wire type, singular fields twice, runs packed or not. It starts from canonical bytes.
 */
export function disturbed(canonical: Buffer): fc.Arbitrary<Buffer> {
  const addition = fc.oneof(
    fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
      .map(([number, value]) => {
        const writer = new WireWriter();
        writer.uint32(number << 3);
        writer.uint64(value);
        return writer.take();
      }),
    fc
      .tuple(fc.integer({ min: 100, max: 2 ** 29 - 1 }), fc.uint8Array({ maxLength: 20 }))
      .map(([number, data]) => {
        const writer = new WireWriter();
        writer.uint32(((number << 3) | 2) >>> 0);
        writer.uint32(data.length);
        writer.bytes(data);
        return writer.take();
      }),
    fc
      .integer({ min: 1, max: 60 })
      .map((number) => Buffer.from([((number << 3) & 0x7f) | 0x80 | 5, (number << 3) >> 7, 1, 2, 3, 4])),
    fc
      .integer({ min: 1, max: 15 })
      .map((number) => Buffer.from([(number << 3) | 0x80, 0x80, 0x00, 0x81, 0x80, 0x00])),
  );
  return fc.array(fc.tuple(fc.boolean(), addition), { minLength: 1, maxLength: 4 }).map((additions) => {
    const before = additions.filter(([atStart]) => atStart).map(([, bytes]) => bytes);
    const behind = additions.filter(([atStart]) => !atStart).map(([, bytes]) => bytes);
    return Buffer.concat([...before, canonical, ...behind]);
  });
}
