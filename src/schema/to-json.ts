import { jsonString } from "../io/ascii-json.js";
import type { EnumTable, FlagTable } from "../io/enums.js";
import { fieldScalar } from "./decode.js";
import { formatAddress } from "./ip-address.js";
import { base64Lines, quotedPrintable } from "./json-bytes.js";
import { type AnyValue, type Field, fieldMessage, type MessageTable, UNKNOWN } from "./message.js";

/** `pretty` shows numbers by the `show` hints of their fields and breaks lines, indented by 4. */
export interface JsonStyle {
  readonly pretty: boolean;
}

/** Writes one value; `indent` is a line break and the indentation of the value's line, "" if not pretty. */
type ToText = (value: unknown, indent: string) => string;

interface FieldText {
  readonly name: string;
  readonly key: string;
  readonly isRepeated: boolean;
  readonly write: ToText;
  /** For lists shown as one string if they have the right length (IP addresses). */
  readonly writeList: ((list: readonly unknown[]) => string | undefined) | undefined;
}

const compiled = new Map<string, WeakMap<MessageTable, readonly FieldText[]>>();

/**
 * The members of a message as JSON like that of crit: fields by number, enums by name, bytes as base64 lines, 64-bit
 * integers as plain integers, all text in ASCII. Unknown fields are in `_unknown`.
 */
export function messageMembers(
  table: MessageTable,
  value: AnyValue,
  style: JsonStyle,
  indent: string,
): string[] {
  return membersOf(table, value, style.pretty, false, indent);
}

/** Members, or elements with `[]`, joined. */
export function bracketed(items: readonly string[], brackets: "{}" | "[]", indent: string): string {
  if (items.length === 0) return brackets;
  const [open, close] = brackets;
  if (indent === "") return `${open}${items.join(", ")}${close}`;
  const inner = `${indent}    `;
  return `${open}${inner}${items.join(`,${inner}`)}${indent}${close}`;
}

/** What writes one value of a field as pretty JSON in one line; for a list one element. */
export function valueWriter(owner: MessageTable, name: string): (value: unknown) => string {
  const field = textsOf(owner, true, false).find((each) => each.name === name);
  return (value) => field?.write(value, "") ?? "";
}

function membersOf(
  table: MessageTable,
  value: AnyValue,
  pretty: boolean,
  isHex: boolean,
  indent: string,
): string[] {
  const members: string[] = [];
  const inner = indent === "" ? "" : `${indent}    `;
  for (const field of textsOf(table, pretty, isHex)) {
    const item = value[field.name];
    if (item === undefined) continue;
    if (!field.isRepeated) members.push(field.key + field.write(item, inner));
    else if ((item as unknown[]).length > 0)
      members.push(field.key + listText(field, item as unknown[], inner));
  }
  if (value[UNKNOWN] !== undefined) members.push(unknownMember(value[UNKNOWN], inner));
  return members;
}

function listText(field: FieldText, list: readonly unknown[], indent: string): string {
  const whole = field.writeList?.(list);
  const inner = indent === "" ? "" : `${indent}    `;
  const items = whole === undefined ? list.map((item) => field.write(item, inner)) : [whole];
  return bracketed(items, "[]", indent);
}

function unknownMember(list: NonNullable<AnyValue[typeof UNKNOWN]>, indent: string): string {
  const inner = indent === "" ? "" : `${indent}    `;
  const items = list.map(({ number, wireType, data }) =>
    bracketed(
      [`"number": ${number}`, `"wire_type": ${wireType}`, `"data": "${base64Lines(data)}"`],
      "{}",
      inner,
    ),
  );
  return `"${UNKNOWN}": ${bracketed(items, "[]", indent)}`;
}

function textsOf(table: MessageTable, pretty: boolean, isHex: boolean): readonly FieldText[] {
  const variant = `${pretty ? "pretty" : "plain"}${isHex ? " hex" : ""}`;
  let tables = compiled.get(variant);
  if (tables === undefined) {
    tables = new WeakMap();
    compiled.set(variant, tables);
  }
  let texts = tables.get(table);
  if (texts === undefined) {
    texts = Object.entries(table.fields)
      .sort(([, a], [, b]) => a.number - b.number)
      .map(([name, field]) => ({
        name,
        key: `"${name}": `,
        isRepeated: field.label === "repeated",
        write: writerOf(table, field, pretty, isHex),
        writeList: pretty && field.show?.as === "ip" ? addressText : undefined,
      }));
    tables.set(table, texts);
  }
  return texts;
}

function writerOf(owner: MessageTable, field: Field, pretty: boolean, inHex: boolean): ToText {
  const { show, type } = field;
  const isHex = inHex || show?.as === "hex";
  const nested = fieldMessage(owner, field);
  if (nested !== undefined)
    return (value, indent) =>
      bracketed(membersOf(nested, value as AnyValue, pretty, isHex, indent), "{}", indent);
  if (typeof type === "object") return enumText(type as EnumTable);
  switch (fieldScalar(field)) {
    case "bytes":
      return show?.as === "unix-name"
        ? (value) => jsonString(quotedPrintable(value as Buffer))
        : (value) => `"${base64Lines(value as Buffer)}"`;
    case "string":
      return (value) => jsonString(value as string);
    case "bool":
      return (value) => (value === true ? "true" : "false");
    default:
      return pretty ? prettyNumber(field, isHex) : (value) => String(value);
  }
}

function enumText(table: EnumTable): ToText {
  return (value) => {
    const name = table.names.get(value as number);
    return name === undefined ? String(value) : `"${name}"`;
  };
}

function prettyNumber({ show }: Field, isHex: boolean): ToText {
  if (isHex) return (value) => `"0x${(value as number | bigint).toString(16)}"`;
  switch (show?.as) {
    case "flags":
      return (value) => `"${critFlags(show.table, BigInt(value as number | bigint))}"`;
    case "names":
      return (value) => {
        const name = show.table.critNames.get(Number(value));
        return name === undefined ? String(value) : `"${name}"`;
      };
    case "dev":
      return (value) => `"${formatDev(BigInt(value as number | bigint))}"`;
    case "odev":
      return (value) => `"${formatOdev(BigInt(value as number | bigint))}"`;
    default:
      return (value) => String(value);
  }
}

/** crit names the flags that it knows and prints the rest as one number. */
function critFlags(table: FlagTable, mask: bigint): string {
  let rest = mask;
  const names: string[] = [];
  for (const name of table.critNames) {
    const bits = table.bits.get(name) as bigint;
    if ((mask & bits) !== 0n) names.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.join(" | ");
}

/** The kernel's form of a device number: 20 bits of minor (linux/kdev_t.h). */
export function formatDev(dev: bigint): string {
  return `${dev >> 20n}:${dev & 0xfffffn}`;
}

/** The form of stat(2): the halves of major and minor interleaved (sys/sysmacros.h). */
export function formatOdev(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function addressText(words: readonly unknown[]): string | undefined {
  return words.length === 1 || words.length === 4 ? `"${formatAddress(words as number[])}"` : undefined;
}
