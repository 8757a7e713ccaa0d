import { type EnumTable, enumName, flagNames } from "../io/enums.js";
import { bytesToText } from "../io/text.js";
import { formatAddress } from "./ip-address.js";
import type { Field } from "./message.js";
import { formatDev, formatOdev } from "./to-json.js";

/** Whether a field of this name is shown in octal, as chmod(1) takes it. */
export function isOctal(name: string): boolean {
  return OCTAL.has(name);
}

/** As much of a whole record as a line shows; a record may have thousands of fields. */
export const TEXT_LENGTH = 400;

/** Items as text with commas, up to the first that is beyond so many characters. */
export function joinedUpTo<T>(length: number, items: Iterable<T>, textOf: (item: T) => string): string {
  // Not by `+=`: what V8 makes of that keeps every part, several times of the text.
  const parts: string[] = [];
  let size = 0;
  for (const item of items) {
    const part = textOf(item);
    parts.push(part);
    size += part.length + 2;
    if (size - 2 > length) return `${parts.join(", ").slice(0, length)}…`;
  }
  return parts.join(", ");
}

const OCTAL = new Set(["mode", "umask"]);

/** The value of a field as text: a name, flags, a mode in octal, an address. Undefined if it is readable itself. */
export function fieldText(name: string, field: Field, value: unknown): string | undefined {
  if (field.label === "repeated" && Array.isArray(value)) return listText(field, value);
  const text = textOf(field, value);
  return isOctal(name) && typeof value === "number" && text === undefined ? `0${value.toString(8)}` : text;
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

/** The first bytes as hexadecimal, and their number if there are more. */
export function bytesText(bytes: Buffer): string {
  const more = bytes.length > SHOWN_BYTES ? `… (${bytes.length} bytes)` : "";
  return `${bytes.subarray(0, SHOWN_BYTES).toString("hex")}${more}`;
}
