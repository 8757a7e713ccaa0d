// Writes fixtures/criu-schema-facts.json: every message and enum of CRIU's images as CRIU's own Python package describes
// them, for a test that compares our tables with it.
//
//   node --import tsx scripts/schema-facts.ts "$(dirname "$CRIMG_CRIU")"/*/usr/lib/python3/dist-packages/pycriu/images
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeMessage } from "../src/schema/decode.js";
import { message, optional, repeated, type Value } from "../src/schema/message.js";

// google/protobuf/descriptor.proto as far as it is needed, and CRIU's own field options (opts.proto).
const CRIU_OPTS = message("CRIU_Opts", "", {
  hex: optional(1, "bool"),
  ipadd: optional(2, "bool"),
  flags: optional(3, "string"),
  dev: optional(4, "bool"),
  odev: optional(5, "bool"),
  dict: optional(6, "string"),
  conv: optional(7, "string"),
});
const FIELD_OPTIONS = message("FieldOptions", "", {
  packed: optional(2, "bool"),
  criu: optional(1018, CRIU_OPTS),
});
const FIELD = message("FieldDescriptorProto", "", {
  name: optional(1, "string"),
  number: optional(3, "int32"),
  label: optional(4, "int32"),
  type: optional(5, "int32"),
  type_name: optional(6, "string"),
  default_value: optional(7, "string"),
  options: optional(8, FIELD_OPTIONS),
});
const ENUM = message("EnumDescriptorProto", "", {
  name: optional(1, "string"),
  value: repeated(
    2,
    message("EnumValueDescriptorProto", "", { name: optional(1, "string"), number: optional(2, "int32") }),
  ),
});
const MESSAGE = message("DescriptorProto", "", {
  name: optional(1, "string"),
  field: repeated(2, FIELD),
  nested_type: repeated(3, "self"),
  enum_type: repeated(4, ENUM),
});
const FILE = message("FileDescriptorProto", "", {
  name: optional(1, "string"),
  message_type: repeated(4, MESSAGE),
  enum_type: repeated(5, ENUM),
});

const LABELS = ["", "optional", "required", "repeated"];
const TYPES: Record<number, string> = {
  3: "int64",
  4: "uint64",
  5: "int32",
  6: "fixed64",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
  17: "sint32",
  18: "sint64",
};

const messages: Record<string, object> = {};
const enums: Record<string, object> = {};

function addEnum({ name, value }: Value<typeof ENUM>, outer: string): void {
  enums[outer + name] = Object.fromEntries(value.map((each) => [each.name, each.number]));
}

function addMessage({ name, field, nested_type, enum_type }: Value<typeof MESSAGE>, outer: string): void {
  const inner = `${outer}${name}.`;
  for (const each of enum_type) addEnum(each, inner);
  for (const each of nested_type) addMessage(each, inner);
  messages[outer + name] = Object.fromEntries(
    field.map((each) => [
      each.name,
      {
        number: each.number,
        label: LABELS[each.label ?? 0],
        type: each.type_name?.replace(/^\./, "") ?? TYPES[each.type ?? 0],
        default: each.default_value,
        packed: each.options?.packed,
        ...each.options?.criu,
      },
    ]),
  );
}

/** The content of a Python bytes literal, which holds the file's descriptor. */
function bytesLiteral(source: string): Buffer {
  const [, text = ""] = /AddSerializedFile\(b'((?:[^'\\]|\\.)*)'\)/s.exec(source) ?? [];
  const SHORT: Record<string, string> = { n: "\n", r: "\r", t: "\t", "'": "'", '"': '"', "\\": "\\" };
  const plain = text.replace(/\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gs, (_, hex, octal, char) =>
    hex !== undefined || octal !== undefined
      ? String.fromCharCode(Number.parseInt(hex ?? octal, hex === undefined ? 8 : 16))
      : (SHORT[char] ?? ""),
  );
  return Buffer.from(plain, "latin1");
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("name the directory of pycriu's images package");
for (const name of readdirSync(directory).sort()) {
  if (!name.endsWith("_pb2.py") || name === "opts_pb2.py" || name === "img_streamer_pb2.py") continue;
  const file = decodeMessage(FILE, bytesLiteral(readFileSync(join(directory, name), "utf8")));
  for (const each of file.enum_type) addEnum(each, "");
  for (const each of file.message_type) addMessage(each, "");
}
const [, criu] = /__version__ = '([^']*)'/.exec(readFileSync(join(directory, "../version.py"), "utf8")) ?? [];
const to = fileURLToPath(new URL("../fixtures/criu-schema-facts.json", import.meta.url));
const lines = (entries: object) =>
  Object.entries(entries)
    .map(([name, entry]) => `${JSON.stringify(name)}: ${JSON.stringify(entry)}`)
    .join(",\n");
writeFileSync(
  to,
  `{"criu": ${JSON.stringify(criu)},\n"messages": {\n${lines(messages)}\n},\n"enums": {\n${lines(enums)}\n}}\n`,
);
