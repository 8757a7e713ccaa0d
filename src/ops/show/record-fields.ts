import { type EnumTable, enumName, flagNames } from "../../io/enums.js";
import { bytesToText } from "../../io/text.js";
import { formatAddress } from "../../schema/ip-address.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable, UNKNOWN } from "../../schema/message.js";
import { formatDev, formatOdev } from "../../schema/to-json.js";

/** A stored field: `reg.name`, `vmas[3].start`. */
export interface RecordField {
  readonly path: string;
  /** Numbers, text, booleans, bytes, or a list of these. */
  readonly value: unknown;
  /** The value as text, if more readable: a name, flags, an address. */
  readonly text?: string | undefined;
  /** Meaning of the field. */
  readonly doc?: string | undefined;
}

/** The fields of a message and its submessages, by field number; unknown fields last. */
export function* recordFields(table: MessageTable, value: AnyValue, path = ""): Generator<RecordField> {
  const fields = Object.entries(table.fields).sort(([, a], [, b]) => a.number - b.number);
  for (const [name, field] of fields) {
    const item = value[name];
    const list = field.label === "repeated" ? (item as unknown[]) : undefined;
    if (item === undefined || list?.length === 0) continue;
    const nested = fieldMessage(table, field);
    if (nested === undefined) yield shownField(path, name, field, item);
    else if (list === undefined) yield* recordFields(nested, item as AnyValue, `${path}${name}.`);
    else
      for (const [at, each] of list.entries())
        yield* recordFields(nested, each as AnyValue, `${path}${name}[${at}].`);
  }
  for (const { number, wireType, data } of value[UNKNOWN] ?? [])
    yield {
      path: `${path}${UNKNOWN}`,
      value: data,
      text: `field ${number}, wire type ${wireType}: ${bytesText(data)}`,
      doc: "unknown to crimg, kept as is",
    };
}

/** Fields shown in octal, chmod(1). */
const OCTAL = new Set(["mode", "umask"]);

function shownField(path: string, name: string, field: Field, value: unknown): RecordField {
  const list = field.label === "repeated" ? (value as unknown[]) : undefined;
  const text = list === undefined ? textOf(field, value) : listText(field, list);
  const isOctal = OCTAL.has(name) && typeof value === "number" && text === undefined;
  return { path: path + name, value, text: isOctal ? `0${value.toString(8)}` : text, doc: field.doc };
}

function listText(field: Field, list: readonly unknown[]): string {
  if (field.show?.as === "ip" && (list.length === 1 || list.length === 4))
    return formatAddress(list as number[]);
  return list.map((item) => textOf(field, item) ?? String(item)).join(" ");
}

/** Undefined if the value is readable itself. */
function textOf({ type, show }: Field, value: unknown): string | undefined {
  if (Buffer.isBuffer(value)) return show?.as === "unix-name" ? bytesToText(value) : bytesText(value);
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = value;
  const named = (table: EnumTable): string => {
    const name = enumName(table, Number(number));
    return name === String(number) ? name : `${name} (${number})`;
  };
  if (typeof type === "object" && type.kind === "enum") return named(type);
  switch (show?.as) {
    case "hex":
      return hexText(number);
    case "flags":
      return `${hexText(number)} ${flagNames(show.table, BigInt.asUintN(64, BigInt(number))).join("|")}`.trimEnd();
    case "names":
      return named(show.table);
    case "dev":
      return formatDev(BigInt(number));
    case "odev":
      return formatOdev(BigInt(number));
    default:
      return undefined;
  }
}

function hexText(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

const SHOWN_BYTES = 24;

function bytesText(bytes: Buffer): string {
  const more = bytes.length > SHOWN_BYTES ? `… (${bytes.length} bytes)` : "";
  return `${bytes.subarray(0, SHOWN_BYTES).toString("hex")}${more}`;
}
