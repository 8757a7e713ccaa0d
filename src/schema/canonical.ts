import { writeMessage } from "./encode.js";
import type { AnyValue, MessageTable } from "./message.js";
import { WireWriter } from "./wire.js";

const writer = new WireWriter();

/** Whether `encodeMessage` of the value decoded from `bytes` gives the same bytes. */
export function isCanonical(table: MessageTable, value: AnyValue, bytes: Buffer): boolean {
  writer.pos = 0;
  writeMessage(table, writer, value);
  const { buf } = writer;
  if (writer.pos !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== buf[at]) return false;
  return true;
}
