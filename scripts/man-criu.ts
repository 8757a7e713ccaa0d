import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ImageKind, PayloadRule } from "../src/formats/criu/image-kind.js";
import { IMAGES } from "../src/formats/criu/images.js";
import { valuesText } from "../src/io/domains.js";
import type { EnumTable, FlagTable } from "../src/io/enums.js";
import type { Field, MessageTable, ShowHint } from "../src/schema/message.js";
import { bold, page, prose, type Roff, section, subsection, table, tagged } from "./roff.js";

const TABLES = fileURLToPath(new URL("../src/formats/criu/tables/", import.meta.url));

/** crimg-criu(5): the envelope by hand, kinds, messages and names from the tables. */
export async function criuPage(version: string): Promise<string> {
  const messages = await allMessages();
  const named = namesOf(messages);
  const kinds = Object.values<ImageKind>(IMAGES);
  return page(
    "crimg-criu",
    5,
    version,
    section("NAME", ["crimg\\-criu \\- CRIU image files, as read and written by crimg"]),
    section("DESCRIPTION", prose(ENVELOPE)),
    section("IMAGES", prose(ABOUT_KINDS), ...kinds.map(kindEntry)),
    section("MESSAGES", prose(ABOUT_MESSAGES), ...messages.map(messageEntry)),
    section("NAMES", prose(ABOUT_NAMES), ...named.map(namesEntry)),
    section("SEE ALSO", [
      `${bold("crimg")}(1), ${bold("crimg-decode")}(1), ${bold("crimg-conventions")}(7), ${bold("criu")}(8)`,
    ]),
  );
}

const ENVELOPE = `A checkpoint is a directory of image files. Each kind of file has a magic number and holds protobuf
messages (proto2); numbers outside of messages are 32 bits, little-endian.

  file    := [ HEAD ] MAGIC record* | raw bytes
  record  := SIZE message [ payload ]

HEAD is 0x54564319 for images of a task or a set and 0x55105940 for those about the run of criu itself (stats and
the like). Images of criu before 1.6 have no HEAD, and the inventory never has one. SIZE is the length of the message
in bytes. Some records are followed by payload bytes, whose length is in a field of the record. Raw images have
neither HEAD nor MAGIC; another tool defines what is in them.

A name such as \`core-%u.img\` holds a decimal number, \`%x\` a hexadecimal one.

crimg keeps fields that it does not know, non-canonical encodings and trailing bytes as they are.`;

const ABOUT_KINDS = `One entry a kind: its name as crit prints it, its file, its magic, what the number in the file
name counts, the messages in it, the payload behind them, and the first release of criu that wrote it.`;

const ABOUT_MESSAGES = `One table a message. A type with ? is of an optional field, one with * of a field that occurs
any number of times; the others are always there. Bytes are base64 in JSON, an enum is the name of its value.`;

const ABOUT_NAMES = "Names of values and bits of message fields.";

/** All message tables, including nested ones, by name. */
async function allMessages(): Promise<MessageTable[]> {
  const messages = new Map<string, MessageTable>();
  for (const file of readdirSync(TABLES).sort()) {
    const exported = Object.values((await import(`${TABLES}${file}`)) as Record<string, { kind?: string }>);
    for (const each of exported)
      if (each.kind === "message") messages.set((each as MessageTable).name, each as MessageTable);
  }
  return [...messages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namesOf(messages: readonly MessageTable[]): (EnumTable | FlagTable)[] {
  const fields = messages.flatMap((each) => Object.values(each.fields));
  const found = fields.flatMap(({ type, show }) => [
    ...(typeof type === "object" && type.kind === "enum" ? [type] : []),
    ...(show && "table" in show ? [show.table] : []),
  ]);
  return [...new Map(found.map((each) => [each.name, each])).values()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

function kindEntry(kind: ImageKind): Roff {
  const magic = kind.magic === undefined ? "raw" : `magic 0x${kind.magic.toString(16)}`;
  const head = kind.head === "service" ? ", service head" : "";
  const records = kind.entries.map(
    ({ message, repeats }) => `\`${message.name}\`${repeats ? " (any number)" : ""}`,
  );
  const holds = records.length > 0 ? ` Records: ${records.join(", then ")}.` : "";
  const payload = kind.payload.map((rule) => ` ${payloadSentence(rule)}`).join("");
  const status = { current: "", old: " No longer written.", unused: " Never written." }[kind.status];
  return tagged(
    `${bold(kind.name)}  ${kind.file}`,
    `${kind.doc.charAt(0).toUpperCase()}${kind.doc.slice(1)} (${magic}${head}, one per ${kind.scope}, since criu ${kind.since}).${holds}${payload}${status}`,
  );
}

function payloadSentence({ after, parts, messages }: PayloadRule): string {
  const described = parts?.map(({ name, length }) =>
    length === "rest"
      ? `${name} to the end`
      : `${name} of \`${length.field}\`${length.unit ? ` x ${length.unit}` : ""} bytes`,
  );
  const what =
    described?.join(", then ") ??
    `\`${messages?.count}\` records \`${messages?.table.name}\` with their own bytes`;
  return `After each \`${after.name}\`: ${what}.`;
}

function messageEntry(message: MessageTable): Roff {
  const rows = Object.entries(message.fields).map(([name, field]) => [
    String(field.number),
    name,
    typeName(field),
    meaning(field),
  ]);
  const about = message.doc ? prose(message.doc) : [];
  return subsection(
    message.name,
    about,
    rows.length > 0 ? table(["NO", "FIELD", "TYPE", "MEANING"], rows) : prose("No fields."),
  );
}

function typeName({ type, label }: Field): string {
  return `${typeof type === "string" ? type : type.name}${{ required: "", optional: "?", repeated: "*" }[label]}`;
}

function meaning({ doc, domain, show, holds, default: preset, since, deprecated, packed }: Field): string {
  return [
    doc,
    typeof domain === "object" ? valuesText(domain) : undefined,
    show && hint(show),
    holds && `holds a ${holds.replaceAll("-", " ")}`,
    preset === undefined ? undefined : `default ${preset}`,
    packed === "always" ? "packed" : undefined,
    since && `since ${since}`,
    deprecated ? "no longer written" : undefined,
  ]
    .filter(Boolean)
    .join("; ");
}

function hint(show: ShowHint): string {
  return "table" in show
    ? `\`${show.table.name}\``
    : {
        hex: "hex",
        ip: "IP address",
        dev: "device number",
        odev: "device number, old form",
        "unix-name": "name of a unix socket",
      }[show.as];
}

function namesEntry(named: EnumTable | FlagTable): Roff {
  const rows =
    named.kind === "enum"
      ? [...named.values].map(([name, value]) => [String(value), name])
      : [...named.bits].map(([name, bit]) => [`0x${bit.toString(16)}`, name]);
  return subsection(named.name, table([named.kind === "enum" ? "VALUE" : "BITS", "NAME"], rows));
}
