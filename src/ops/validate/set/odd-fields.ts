import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import type { OddField } from "../odd-fields.js";
import { scanImages } from "../scan.js";

/** Rules about fields that say more than crimg knows; all of them travel through edits to the byte. */
export const oddFieldRules: readonly Rule<SetContext>[] = [
  {
    id: "UNKNOWN_FIELD",
    level: "note",
    about: "Every field of a record is one that crimg knows.",
    fix: "A newer criu wrote it; crimg keeps it as it is, and a newer crimg may know it.",
    check: (context) => odd(context, "unknown", "a field that crimg does not know"),
  },
  {
    id: "WIRE_TYPE",
    level: "warning",
    about: "A known field is encoded with the wire type of its type.",
    fix: "criu ignores the field or refuses the record: crimg edit --set writes the field as it should be.",
    check: (context) => odd(context, "wire type", "a known field in a foreign encoding, which is not read"),
  },
  {
    id: "UNKNOWN_VALUE",
    level: "warning",
    about: "A field with fixed values has one that crimg knows.",
    fix: "A newer criu wrote it, or the record is damaged; criu refuses values that it does not know.",
    check: (context) => odd(context, "enum", "no value that crimg knows"),
  },
  {
    id: "NOT_UTF8",
    level: "note",
    about: "Text is valid UTF-8.",
    fix: "Nothing is to be done: crimg keeps the bytes, but tools built on protobuf libraries may refuse the set.",
    check: (context) => odd(context, "text", "text with bytes that are not UTF-8"),
  },
];

function* odd(context: SetContext, sort: OddField["sort"], what: string): Generator<Found> {
  for (const { name, odd: fields } of context.share(scanImages))
    for (const { sort: found, record, path, found: text } of fields)
      if (found === sort) yield { at: { image: name, record, field: path }, what, found: text };
}
