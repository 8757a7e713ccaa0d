import type { LinuxCrImage, Range } from "../../formats/linux-cr/image.js";
import type { Dialect, RecordKind } from "../../formats/linux-cr/record-kind.js";
import { isSince } from "../../formats/linux-cr/revisions.js";
import { SIGACTION, SIGINFO, SIGINFO_0ABE2FE } from "../../formats/linux-cr/tables/signals.js";
import type { StructTable, StructValue } from "../../schema/struct.js";
import { readStruct } from "../../schema/struct-reader.js";
import { structJson } from "../../schema/struct-to-json.js";
import { writeStruct } from "../../schema/struct-writer.js";
import { bracketed, type JsonStyle } from "../../schema/to-json.js";

/** Larger payloads are given as data. */
const MAX_ELEMENTS_BYTES = 1024 * 1024;

/** The structure of the items of a payload; undefined for other payloads. */
export function elementTable(kind: RecordKind, { commit }: Dialect): StructTable | undefined {
  if (kind.payload === "sigaction") return SIGACTION;
  if (kind.payload === "siginfo") return isSince(commit, "f0fdd38") ? SIGINFO : SIGINFO_0ABE2FE;
  return undefined;
}

/** A payload as a list of numbers, `values`, or of structures, `items`; undefined if it is neither, or would lose bytes. */
export function elementsOf(
  image: LinuxCrImage,
  kind: RecordKind | undefined,
  payload: Range,
  style: JsonStyle,
  indent: string,
): string | undefined {
  if (kind === undefined || payload.size > MAX_ELEMENTS_BYTES) return undefined;
  const { byteOrder, dialect } = image;
  const table = elementTable(kind, dialect);
  if (kind.payload !== "u32" && table === undefined) return undefined;
  const bytes = image.read(payload.offset, payload.size);
  if (kind.payload === "u32") {
    if (bytes.length % 4 !== 0) return undefined;
    const values = Array.from({ length: bytes.length / 4 }, (_, i) =>
      String(byteOrder === "little-endian" ? bytes.readUInt32LE(i * 4) : bytes.readUInt32BE(i * 4)),
    );
    return `"values": ${bracketed(values, "[]", "")}`;
  }
  if (table === undefined || bytes.length % table.size !== 0) return undefined;
  const items: string[] = [];
  const inner = indent === "" ? "" : `${indent}    `;
  for (let at = 0; at < bytes.length; at += table.size) {
    const item = bytes.subarray(at, at + table.size);
    const value = readStruct(table, item, byteOrder) as StructValue<StructTable>;
    if (!writeStruct(table, value, byteOrder).equals(item)) return undefined;
    items.push(structJson(table, value as Readonly<Record<string, unknown>>, style, inner));
  }
  return `"items": ${bracketed(items, "[]", indent)}`;
}
