import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Layout, Payload, RecordKind } from "../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../src/formats/linux-cr/records.js";
import {
  ARCHITECTURES,
  archNumbering,
  COMMITS,
  type Commit,
  objectTypes,
  REVISIONS,
} from "../src/formats/linux-cr/revisions.js";
import { valuesText } from "../src/io/domains.js";
import type { StructField, StructTable } from "../src/schema/struct.js";
import {
  ABOUT_DIALECT,
  ABOUT_EXTENSIONS,
  ABOUT_HEADER_ONLY,
  ABOUT_RECORDS,
  ABOUT_STRUCTURES,
  ARCHITECTURE,
  DESCRIPTION,
  FRAMING,
  OBJECTS,
  ORDER,
  PAGES,
  REVISION,
  TELLING_APART,
} from "./man-linux-cr-prose.js";
import { bold, page, prose, type Roff, section, subsection, table } from "./roff.js";

const TABLES = fileURLToPath(new URL("../src/formats/linux-cr/tables/", import.meta.url));
const KINDS: readonly RecordKind[] = Object.values<RecordKind>(RECORDS);

/** crimg-linux-cr(5): the rules of the stream by hand, records, structures and numberings from the tables. */
export async function linuxCrPage(version: string): Promise<string> {
  const structures = await plainStructures();
  const of = (certainty: RecordKind["certainty"]): Roff[] =>
    KINDS.filter((kind) => kind.certainty === certainty).map(recordEntry);
  return page(
    "crimg-linux-cr",
    5,
    version,
    section("NAME", ["crimg\\-linux\\-cr \\- linux\\-cr checkpoint streams, as read by crimg"]),
    section("DESCRIPTION", prose(DESCRIPTION)),
    section("FRAMING", prose(FRAMING)),
    section("SHARED OBJECTS", prose(OBJECTS), objectTable()),
    section("ORDER OF RECORDS", prose(ORDER)),
    section("MEMORY PAGES", prose(PAGES)),
    section("REVISIONS", prose(REVISION), revisionTable(), prose(TELLING_APART)),
    section("ARCHITECTURES", prose(ARCHITECTURE), architectureTable()),
    section("RECORDS", prose(ABOUT_RECORDS), ...of(undefined)),
    section("STRUCTURES", prose(ABOUT_STRUCTURES), ...structures.map(structureEntry)),
    section("RECORDS KNOWN ONLY BY THEIR HEADER", prose(ABOUT_HEADER_ONLY), ...of("header file only")),
    section("CRIMG EXTENSION RECORDS FOR LOCKS AND FILES", prose(ABOUT_DIALECT), ...of("our dialect")),
    section("OTHER CRIMG EXTENSION RECORDS", prose(ABOUT_EXTENSIONS), ...of("our extension")),
    section("SEE ALSO", [
      `${bold("crimg")}(1), ${bold("crimg-dump")}(1), ${bold("crimg-show")}(1), ${bold("crimg-conventions")}(7), ${bold("crimg-criu")}(5)`,
    ]),
  );
}

/** Structures in records or their payloads: all tables that are not a layout of a record. */
async function plainStructures(): Promise<StructTable[]> {
  const layouts = new Set(KINDS.flatMap((kind) => kind.layouts.map((layout) => layout.table)));
  const found: StructTable[] = [];
  for (const file of readdirSync(TABLES).sort()) {
    const exported = Object.values((await import(`${TABLES}${file}`)) as Record<string, { kind?: string }>);
    for (const each of exported)
      if (each.kind === "struct" && !layouts.has(each as StructTable)) found.push(each as StructTable);
  }
  return found;
}

function revisionTable(): Roff {
  const rows = REVISIONS.map(({ commit, date, version, label }) => [commit, date, String(version), label]);
  return table(["COMMIT", "DATE", "REV", "WHAT"], rows);
}

function objectTable(): Roff {
  const columns = COMMITS.filter(
    (commit, at) => at === 0 || objectTypes(commit).length !== objectTypes(COMMITS[at - 1] as Commit).length,
  );
  const numberings = columns.map(objectTypes);
  const rows = (numberings.at(-1) ?? []).map((type) => [
    ...numberings.map((types) => {
      const number = types.indexOf(type);
      return number < 0 ? "" : String(number);
    }),
    type,
  ]);
  return table([...columns, "OBJECT"], rows);
}

function architectureTable(): Roff {
  const columns = COMMITS.filter(
    (commit, at) => at === 0 || archNumbering(commit) !== archNumbering(COMMITS[at - 1] as Commit),
  );
  const rows = Object.entries(ARCHITECTURES).map(([id, { name, wordBytes, byteOrder }]) => [
    `${name} (${byteOrder.replace("-endian", "")}, ${wordBytes})`,
    ...columns.map((commit) => {
      const number = archNumbering(commit).indexOf(id as keyof typeof ARCHITECTURES) + 1;
      return number === 0 ? "" : String(number);
    }),
  ]);
  return table(["ARCHITECTURE", ...columns], rows);
}

function recordEntry(kind: RecordKind): Roff {
  const about = [`${kind.doc}.`, `${ids(kind)}.`, payloadSentence(kind)];
  if (kind.follows) about.push(`Followed by: ${kind.follows}.`);
  return subsection(
    `${kind.name} (${kind.ids.at(-1)?.[0] ?? "removed"})`,
    prose(about.filter(Boolean).join("\n")),
    ...newestFirst(kind).map((layout) => layoutEntry(kind, layout)),
  );
}

/** `102, from b6cdf01 on 103`. */
function ids({ ids: all }: RecordKind): string {
  const [[first, since], ...later] = all as [RecordKind["ids"][number], ...RecordKind["ids"]];
  const from = since === COMMITS[0] ? "" : ` from ${since} on`;
  const changes = later.map(([id, commit]) =>
    id === undefined ? `, removed in ${commit}` : `, from ${commit} on ${id}`,
  );
  return `Its id is ${first}${from}${changes.join("")}`;
}

const PAYLOADS: Readonly<Record<Payload, string>> = {
  bytes: "bytes",
  text: "text with its NUL",
  path: "a path with its NUL",
  u32: "u32",
  sigaction: "`ckpt_sigaction`",
  siginfo: "`ckpt_siginfo`",
};

function payloadSentence({ payload, payloadAt, count, slack, layouts }: RecordKind): string {
  if (payload === undefined) return layouts.length === 0 ? "Only a header of 8 bytes." : "";
  const start = payloadAt ?? (layouts.length === 0 ? 8 : undefined);
  const where = start === undefined ? "After the fields" : `From offset ${start}`;
  const number = count === undefined ? "to the end of the record" : `their number in \`${count}\``;
  return `${where}: ${PAYLOADS[payload]}, ${number}${slack ? `, and ${slack} unused bytes` : ""}.`;
}

/** Layouts of the newest header set first, by architecture and type of file. */
function newestFirst({ layouts }: RecordKind): Layout[] {
  const groups = new Map<string, Layout[]>();
  for (const layout of layouts) {
    const key = `${layout.arch} ${layout.fileType}`;
    groups.set(key, [layout, ...(groups.get(key) ?? [])]);
  }
  return [...groups.values()].flat();
}

function layoutEntry({ layouts }: RecordKind, { since, arch, fileType, table: struct }: Layout): Roff {
  const base = layouts.find((each) => fileType !== undefined && !each.fileType && each.since === since);
  const which = [
    arch && `on ${arch}`,
    since && since !== COMMITS[0] ? `since ${since}` : undefined,
    fileType && `of f_type ${fileType}`,
  ].filter(Boolean);
  const head = `\`${struct.name}\`${which.map((each) => ` ${each}`).join("")}, ${struct.size} bytes`;
  const fields = Object.entries(struct.fields).filter(([name]) => base?.table.fields[name] === undefined);
  const common = base === undefined ? ":" : ", after the common fields:";
  return [...prose(`${head}${fields.length > 0 ? common : ", no fields."}`), ...fieldTable(fields)];
}

function structureEntry(struct: StructTable): Roff {
  return subsection(
    `${struct.name}, ${struct.size} bytes`,
    prose(`${struct.doc}.`),
    fieldTable(Object.entries(struct.fields)),
  );
}

function fieldTable(fields: readonly (readonly [string, StructField])[]): Roff {
  if (fields.length === 0) return [];
  const rows = fields.map(([name, field]) => [String(field.offset), typeName(field), name, meaning(field)]);
  return table(["OFFSET", "TYPE", "FIELD", "MEANING"], rows);
}

function meaning({ doc, domain }: StructField): string {
  return [doc, typeof domain === "object" ? valuesText(domain) : undefined].filter(Boolean).join("; ");
}

function typeName({ type, count, size }: StructField): string {
  if (type === "bytes" || type === "text") return `${type}[${size}]`;
  return `${typeof type === "string" ? type : type.name}${count === undefined ? "" : `[${count}]`}`;
}
