import fc from "fast-check";
import protobuf from "protobufjs";
import * as assert from "uvu/assert";
import type { EnumTable } from "../../src/io/enums.js";
import { decodeMessage } from "../../src/schema/decode.js";
import { encodeMessage } from "../../src/schema/encode.js";
import type { AnyValue, Field, MessageTable } from "../../src/schema/message.js";
import { valuesOf } from "../helpers/arbitrary.js";
import { assertBytes } from "../helpers/bytes.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";
import { allTables } from "../helpers/tables.js";

const test = suite("oracle: protobufjs", undefined, 120);

const { messages } = await allTables();
const root = protobuf.Root.fromJSON({ nested: descriptors() });
const RUNS = 20;

for (const table of messages.values())
  test(`${table.name}: protobufjs writes the same bytes and reads ours`, () => {
    const type = root.lookupType(typeName(table.name));
    holds(
      fc.property(valuesOf(table, { tame: true }), (value) => {
        const known = withoutTwins(table, value);
        const ours = encodeMessage(table, known as never);
        const theirs = Buffer.from(type.encode(type.fromObject(known)).finish());
        assertBytes(theirs, ours);
        const read = type.toObject(type.decode(ours), { longs: BigInt, arrays: true });
        assert.equal(plain(read), plain(withoutEmptyTwins(table, decodeMessage(table, ours) as AnyValue)));
      }),
      { numRuns: RUNS },
    );
  });

test.run();

/** protobufjs' own description of our tables. */
function descriptors(): Record<string, protobuf.AnyNestedObject> {
  const nested: Record<string, protobuf.AnyNestedObject> = {};
  for (const table of messages.values()) {
    nested[typeName(table.name)] = {
      edition: "proto2",
      fields: Object.fromEntries(
        Object.entries(table.fields)
          .filter(([, field]) => !isTwin(field))
          .map(([name, field]) => [
            name,
            {
              rule: field.label,
              id: field.number,
              type: fieldTypeName(table, field, nested),
              options: { packed: field.packed === "always" },
            },
          ]),
      ),
    } as protobuf.AnyNestedObject;
  }
  return nested;
}

function fieldTypeName(
  owner: MessageTable,
  { type }: Field,
  nested: Record<string, protobuf.AnyNestedObject>,
): string {
  if (type === "self") return typeName(owner.name);
  if (typeof type === "string") return type;
  if (type.kind === "enum") nested[typeName(type.name)] = enumDescriptor(type);
  return typeName(type.name);
}

function enumDescriptor(table: EnumTable): protobuf.AnyNestedObject {
  return { edition: "proto2", values: Object.fromEntries(table.values) } as protobuf.AnyNestedObject;
}

/** Names with dots are nested messages of CRIU's; here they stand beside the others. */
function typeName(name: string): string {
  return `T_${name.replaceAll(".", "__")}`;
}

/** A field that shares its number with another one, which protobufjs cannot describe. */
function isTwin(field: Field): boolean {
  return field.packed === "never";
}

function withoutTwins(table: MessageTable, value: AnyValue): AnyValue {
  const twins = Object.entries(table.fields).filter(([, field]) => isTwin(field));
  return { ...value, ...Object.fromEntries(twins.map(([name]) => [name, []])) };
}

function withoutEmptyTwins(table: MessageTable, value: AnyValue): AnyValue {
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => !isTwin(table.fields[name] as Field)),
  ) as AnyValue;
}

/** Bytes as Buffers and objects without prototypes of their own, so that only contents are compared. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
