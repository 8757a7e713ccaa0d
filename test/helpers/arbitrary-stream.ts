import fc from "fast-check";
import { type Dialect, idOf, layoutOf, type RecordKind } from "../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../src/formats/linux-cr/revisions.js";
import type { StructField, StructTable } from "../../src/schema/struct.js";
import { StreamBuilder } from "./build-stream.js";

const PAGE = 4096;
/** Those that end the framing or stand at its head alone. */
const APART: ReadonlySet<string> = new Set(["TAIL", "HEADER"]);

/** Every header set on every architecture that it knows. */
export const DIALECTS: readonly Dialect[] = COMMITS.flatMap((commit) =>
  archNumbering(commit).map((arch) => ({ commit, arch: ARCHITECTURES[arch] })),
);

/** The kinds of records that a header set has on an architecture, without those of the frame. */
export function kindsOf({ commit }: Dialect): RecordKind[] {
  const all: readonly RecordKind[] = Object.values(RECORDS);
  return all.filter((kind) => idOf(kind, commit) !== undefined && !APART.has(kind.name));
}

/** Any values that fit the fields of a structure. */
export function structValues(table: StructTable): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(Object.entries(table.fields).map(([name, field]) => [name, fieldValues(field)])),
    { noNullPrototype: true },
  );
}

function fieldValues(field: StructField): fc.Arbitrary<unknown> {
  const one = elementValues(field);
  return field.count === undefined ? one : fc.array(one, { minLength: field.count, maxLength: field.count });
}

function elementValues({ type, size }: StructField): fc.Arbitrary<unknown> {
  if (typeof type === "object") return structValues(type);
  if (type === "bytes") return fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));
  if (type === "text")
    return fc.string({ maxLength: size - 1, unit: "binary-ascii" }).map((text) => text.replaceAll("\0", "n"));
  const bits = size * 8;
  if (bits === 64)
    return type === "s64"
      ? fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
      : fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  return type.startsWith("s")
    ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
    : fc.integer({ min: 0, max: 2 ** bits - 1 });
}

/** Any whole record of these header sets, its padding included, or one of an unknown id; a raw page behind a SOCKET_FRAG. */
function records(dialect: Dialect): fc.Arbitrary<Buffer> {
  const known = fc.constantFrom(...kindsOf(dialect)).chain((kind) => recordOf(kind, dialect));
  const unknown = fc
    .tuple(fc.constantFrom(7777, 20_999, 0xffff_0000), fc.uint8Array({ maxLength: 40 }))
    .map(([id, body]) => framed(id, Buffer.from(body), dialect));
  return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: unknown });
}

function recordOf(kind: RecordKind, dialect: Dialect): fc.Arbitrary<Buffer> {
  const fileTypes = kind === RECORDS.FILE ? [1, 2, 4, 5, 7] : [0];
  return fc.constantFrom(...fileTypes).chain((fileType) => {
    const size = layoutOf(kind, dialect, 0, fileType)?.size ?? 8;
    const holds = kind.payload === undefined ? 0 : 60;
    return fc
      .tuple(
        fc.uint8Array({ minLength: size - 8, maxLength: size - 8 + holds }),
        kind === RECORDS.SOCKET_FRAG ? fc.constant(PAGE) : fc.constant(0),
      )
      .map(([body, raw]) => {
        const record = framed(idOf(kind, dialect.commit) as number, Buffer.from(body), dialect);
        if (kind === RECORDS.FILE) word(record, fileType, 8, dialect);
        return Buffer.concat([record, Buffer.alloc(raw, 0xee)]);
      });
  });
}

function framed(id: number, body: Buffer, dialect: Dialect): Buffer {
  const out = Buffer.concat([Buffer.alloc(8), body]);
  word(out, id, 0, dialect);
  word(out, out.length, 4, dialect);
  return out;
}

function word(out: Buffer, value: number, at: number, { arch }: Dialect): void {
  if (arch.byteOrder === "little-endian") out.writeUInt32LE(value, at);
  else out.writeUInt32BE(value, at);
}

/** A head, any records in any order, and perhaps a tail with bytes behind it. The framing is whole. */
export function streams(dialect: Dialect): fc.Arbitrary<{ bytes: Buffer; count: number }> {
  return fc
    .tuple(fc.array(records(dialect), { maxLength: 12 }), fc.boolean(), fc.uint8Array({ maxLength: 20 }))
    .map(([list, hasTail, behind]) => {
      const b = new StreamBuilder(dialect).head([[7, 0, 7, 7, 7]]);
      const head = b.parts.length;
      for (const record of list) b.raw(record);
      if (hasTail) b.tail().raw(Buffer.from(behind));
      return { bytes: b.bytes, count: head + list.length + (hasTail ? 1 : 0) };
    });
}
