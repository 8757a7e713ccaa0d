import {
  EXTENSION_VERSION,
  EXTENSION_WRITERS,
  isExtensionId,
} from "../../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule } from "./record-rule.js";

/** Rules about the extension records at the head of a stream. */
export const extensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.EXTENSIONS,
    {
      id: "EXTENSIONS_VERSION",
      level: "error",
      about: `The extension records are such as this crimg reads, version ${EXTENSION_VERSION}.`,
      fix: "Use the crimg that wrote the stream, or a newer one.",
    },
    function* ({ version, oldest_reader: oldest, writer }) {
      if (oldest > EXTENSION_VERSION)
        yield {
          field: "oldest_reader",
          what: "a newer crimg wrote the stream, and this one would misread it",
          expected: `at most ${EXTENSION_VERSION}`,
          found: String(oldest),
        };
      else if (oldest > version || version === 0)
        yield {
          field: "version",
          what: "a version older than its readers",
          expected: `at least ${Math.max(1, oldest)}`,
          found: String(version),
        };
      if (EXTENSION_WRITERS[writer] === undefined)
        yield {
          field: "writer",
          what: "an unknown writer",
          expected: Object.keys(EXTENSION_WRITERS).join(", "),
          found: String(writer),
          level: "note",
        };
    },
  ),
  {
    id: "EXTENSIONS_FIRST",
    level: "error",
    about: "EXTENSIONS stands once, before the other extension records, which only it explains.",
    fix: "Use the crimg that wrote the stream; another tool that moved records must put EXTENSIONS first.",
    *check(context) {
      const { stream } = context;
      let first: number | undefined;
      for (let index = 0; index < stream.length; index++) {
        const id = stream.id(index) as number;
        if (!isExtensionId(id)) continue;
        const isHead = stream.kind(index) === RECORDS.EXTENSIONS;
        if (first === undefined && !isHead) {
          yield {
            at: context.at(index),
            what: "an extension record without EXTENSIONS before it",
            found: stream.label(index),
          };
          return;
        }
        if (first !== undefined && isHead)
          yield { at: context.at(index), what: "a second EXTENSIONS", found: `the first is ${first}` };
        if (isHead) first ??= index;
      }
    },
  },
];
