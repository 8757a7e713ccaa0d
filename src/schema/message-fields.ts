import { bytesText, fieldText, joinedUpTo, TEXT_LENGTH } from "./field-text.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable, UNKNOWN } from "./message.js";

/** A stored field: `reg.name`, `vmas[3].start`. */
export interface MessageField {
  readonly path: string;
  /** Numbers, text, booleans, bytes, or a list of these. */
  readonly value: unknown;
  /** The value as text, if more readable: a name, flags, an address. */
  readonly text?: string | undefined;
  /** Meaning of the field. */
  readonly doc?: string | undefined;
}

const ordered = new WeakMap<MessageTable, readonly (readonly [name: string, field: Field])[]>();

function inOrder(table: MessageTable): readonly (readonly [name: string, field: Field])[] {
  const known = ordered.get(table);
  if (known !== undefined) return known;
  const fields = Object.entries(table.fields).sort(([, a], [, b]) => a.number - b.number);
  ordered.set(table, fields);
  return fields;
}

/** The fields of a message and its submessages, by field number; unknown fields last. */
export function* messageFields(table: MessageTable, value: AnyValue, path = ""): Generator<MessageField> {
  for (const [name, field] of inOrder(table)) {
    const item = value[name];
    const list = field.label === "repeated" ? (item as unknown[]) : undefined;
    if (item === undefined || list?.length === 0) continue;
    const nested = fieldMessage(table, field);
    if (nested === undefined)
      yield { path: path + name, value: item, text: fieldText(name, field, item), doc: field.doc };
    else if (list === undefined) yield* messageFields(nested, item as AnyValue, `${path}${name}.`);
    else
      for (const [at, each] of list.entries())
        yield* messageFields(nested, each as AnyValue, `${path}${name}[${at}].`);
  }
  for (const { number, wireType, data } of value[UNKNOWN] ?? [])
    yield {
      path: `${path}${UNKNOWN}`,
      value: data,
      text: `field ${number}, wire type ${wireType}: ${bytesText(data)}`,
      doc: "unknown to crimg, kept as is",
    };
}

/** All fields of a message in one line, `type REG (1), id 4, reg.flags 0x8401 O_WRONLY|O_APPEND`. */
export function messageText(table: MessageTable, value: AnyValue): string {
  const fields = messageFields(table, value);
  return joinedUpTo(TEXT_LENGTH, fields, ({ path, value, text }) => `${path} ${text ?? value}`);
}
