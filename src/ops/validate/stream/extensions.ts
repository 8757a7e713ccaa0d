import {
  EXTENSION_VERSION,
  EXTENSION_WRITERS,
  isExtensionId,
} from "../../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { SOCK_FILTER_BYTES } from "../../../linux/seccomp.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, hex, recordRule } from "./record-rule.js";

const MAX_INSTRUCTIONS = 4096;
const CLOCK_FLAGS = 3;

/** Rules about the extension records at the head of a stream. */
export const extensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.EXTENSIONS,
    {
      id: "EXTENSIONS_VERSION",
      level: "error",
      about: `The extension records are such as this crimg reads, version ${EXTENSION_VERSION}.`,
      mend: "Use the crimg that wrote the stream, or a newer one.",
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
    mend: AGAIN,
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
  recordRule(
    RECORDS.CLOCKS,
    {
      id: "CLOCKS_VALUES",
      level: "error",
      about: "The clocks are known ones and not before the start of the machine.",
      mend: AGAIN,
    },
    function* ({ flags, monotonic_ns, boottime_ns }) {
      if ((flags & ~CLOCK_FLAGS) !== 0)
        yield { field: "flags", what: "unknown flags", expected: `within ${CLOCK_FLAGS}`, found: hex(flags) };
      // In a time namespace of its own a clock may be anything.
      if ((flags & 1) === 0 && (monotonic_ns < 0n || boottime_ns < 0n))
        yield { field: "monotonic_ns", what: "a negative time", found: `${monotonic_ns}, ${boottime_ns}` };
    },
  ),
  {
    id: "CGROUP_SETS",
    level: "error",
    about:
      "Each set of control groups has a number of its own above 0, and lines of a controller, a colon and an absolute path.",
    mend: AGAIN,
    *check(context) {
      const seen = new Set<number>();
      for (const { index, value } of context.each(RECORDS.CGROUP_SET)) {
        const { set_id: id } = value;
        if (id === 0 || seen.has(id))
          yield {
            at: context.at(index, { field: "set_id" }),
            what: id === 0 ? "no number of a set" : `the number ${id} is there twice`,
          };
        seen.add(id);
        const lines = context.stream.text(index).split("\n");
        const wrong = lines.find((line) => line !== "" && !/^[^:]*:\//.test(line));
        if (wrong !== undefined)
          yield {
            at: context.at(index),
            what: "no line of a control group",
            expected: "controller:/path",
            found: wrong,
          };
      }
    },
  },
  {
    id: "FILTER_CHAIN",
    level: "error",
    about:
      "Each seccomp filter has a number of its own above 0, is whole instructions, and lies over one that stands before it.",
    mend: AGAIN,
    *check(context) {
      const seen = new Set<number>();
      for (const { index, value } of context.each(RECORDS.SECCOMP_FILTER)) {
        const { filter_ref: number, prev_ref: previous } = value;
        const at = context.at(index, { field: "filter_ref" });
        if (number <= 0 || seen.has(number))
          yield {
            at,
            what: number <= 0 ? "no number of a filter" : `the number ${number} is there twice`,
            found: String(number),
          };
        if (previous !== 0 && !seen.has(previous))
          yield {
            at: context.at(index, { field: "prev_ref" }),
            what: `${previous} names no filter before this one`,
            expected: "an earlier filter, or 0",
            found: "none",
          };
        seen.add(number);
        const { size } = context.stream.payload(index);
        if (size === 0 || size % SOCK_FILTER_BYTES !== 0 || size > MAX_INSTRUCTIONS * SOCK_FILTER_BYTES)
          yield {
            at: context.at(index),
            what: "no program of seccomp",
            expected: `1 to ${MAX_INSTRUCTIONS} instructions of ${SOCK_FILTER_BYTES} bytes`,
            found: `${size} bytes`,
          };
      }
    },
  },
];
