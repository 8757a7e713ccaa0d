import type { EnumTable } from "../../io/enums.js";
import { hasRawBytes } from "../../io/text.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable, UNKNOWN } from "../../schema/message.js";

/** A field whose bytes say more, or something else, than the table knows. */
export interface OddField {
  readonly sort: "unknown" | "wire type" | "enum" | "text";
  readonly record: number;
  /** Way to the field from the record down. */
  readonly path: string;
  readonly found: string;
}

type Odd = Omit<OddField, "record">;

interface Look {
  readonly name: string;
  readonly field: Field;
  readonly nested: MessageTable | undefined;
  readonly values: EnumTable | undefined;
}

const looks = new WeakMap<MessageTable, readonly Look[]>();

/** Unknown fields, known ones with a foreign wire type, unknown enum values and text that is not UTF-8. */
export function oddFields(table: MessageTable, value: AnyValue): Iterable<Odd> {
  return isOdd(table, value) ? listOdd(table, value, "") : [];
}

/** The quick answer for the records, nearly all, that have none. */
function isOdd(table: MessageTable, value: AnyValue): boolean {
  if (value[UNKNOWN] !== undefined) return true;
  for (const look of looksOf(table)) {
    const stored = value[look.name];
    if (stored === undefined) continue;
    if (!Array.isArray(stored)) {
      if (isOddValue(look, stored)) return true;
    } else for (const item of stored) if (isOddValue(look, item)) return true;
  }
  return false;
}

function isOddValue({ nested, values }: Look, stored: unknown): boolean {
  if (nested !== undefined) return isOdd(nested, stored as AnyValue);
  return values === undefined ? hasRawBytes(stored as string) : !values.names.has(stored as number);
}

function* listOdd(table: MessageTable, value: AnyValue, path: string): Generator<Odd> {
  for (const unknown of value[UNKNOWN] ?? []) {
    const known = Object.entries(table.fields).find(([, field]) => field.number === unknown.number);
    yield {
      sort: known === undefined ? "unknown" : "wire type",
      path: `${path}${known?.[0] ?? `#${unknown.number}`}`,
      found: `field ${unknown.number} of ${table.name} with wire type ${unknown.wireType}, ${unknown.data.length} bytes`,
    };
  }
  for (const look of looksOf(table)) {
    const stored = value[look.name];
    if (stored === undefined) continue;
    if (!Array.isArray(stored)) yield* oddValue(look, stored, path + look.name);
    else
      for (let i = 0; i < stored.length; i++) yield* oddValue(look, stored[i], `${path}${look.name}[${i}]`);
  }
}

function* oddValue({ nested, values }: Look, stored: unknown, path: string): Generator<Odd> {
  if (nested !== undefined) yield* listOdd(nested, stored as AnyValue, `${path}.`);
  else if (values !== undefined) {
    if (!values.names.has(stored as number))
      yield { sort: "enum", path, found: `${stored} in ${values.name}` };
  } else if (hasRawBytes(stored as string)) yield { sort: "text", path, found: stored as string };
}

/** The fields of a table that can be odd. */
function looksOf(table: MessageTable): readonly Look[] {
  let found = looks.get(table);
  if (found === undefined) {
    found = Object.entries(table.fields).flatMap(([name, field]) => {
      const nested = fieldMessage(table, field);
      // Of a field with a domain FIELD_VALUE tells.
      const { type, domain } = field;
      const isEnum = typeof type === "object" && type.kind === "enum" && domain === undefined;
      const values = isEnum ? type : undefined;
      const matters = nested !== undefined || values !== undefined || field.type === "string";
      return matters ? [{ name, field, nested, values }] : [];
    });
    looks.set(table, found);
  }
  return found;
}
