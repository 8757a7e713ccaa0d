import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule } from "./record-rule.js";

/** PATH_MAX, with the NUL. */
const MOST_BYTES = 4096;
const REMAP = "crimg edit --remap-path OLD=NEW gives it another path.";

/** Rules about paths and texts. */
export const nameRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE_NAME,
    {
      id: "NAME_END",
      level: "error",
      about: "A path has at most 4096 bytes and ends with its only NUL.",
      mend: REMAP,
    },
    function* (_, index, { stream }) {
      const { size } = stream.payload(index);
      if (size > MOST_BYTES) {
        yield {
          what: "the path is too long",
          expected: `at most ${MOST_BYTES} bytes`,
          found: `${size} bytes`,
        };
        return;
      }
      const nul = stream.bytes(index).indexOf(0);
      if (nul !== size - 1)
        yield {
          path: stream.text(index),
          what: nul === -1 ? "the NUL at the end is missing" : "a NUL inside the path",
          expected: `${size - 1} bytes and a NUL`,
          found: nul === -1 ? "none" : `${nul} bytes`,
        };
    },
  ),
  recordRule(
    RECORDS.FILE_NAME,
    {
      id: "NAME_ABSOLUTE",
      level: "error",
      about: "A path is absolute, counted from the root of the container.",
      mend: REMAP,
    },
    function* (_, index, context) {
      const { stream } = context;
      if (isSubstitute(context, index) || stream.payload(index).size > MOST_BYTES) return;
      const text = stream.text(index);
      if (!text.startsWith("/"))
        yield { path: text, what: "no absolute path", expected: "/…", found: text === "" ? "nothing" : text };
    },
  ),
  recordRule(
    RECORDS.FILE_NAME,
    {
      id: "NAME_FORM",
      level: "warning",
      about: "A path has no .. in it, and no mark of the kernel behind it such as (deleted).",
      mend: REMAP,
    },
    function* (_, index, context) {
      const { stream } = context;
      if (stream.payload(index).size > MOST_BYTES) return;
      const text = stream.text(index);
      const what = text.split("/").includes("..")
        ? "the path leads upwards"
        : text.endsWith(" (deleted)")
          ? "the path has the kernel's mark of a deleted file as part of its name"
          : undefined;
      const name = text.replace(/ \(deleted\)$/, "");
      const fix = name === text ? undefined : context.editCommand("--remap-path", `${text}=${name}`);
      if (what !== undefined) yield { path: text, what, fix };
    },
  ),
  recordRule(
    RECORDS.STRING,
    {
      id: "STRING_END",
      level: "error",
      about: "A text ends with a NUL.",
      mend: AGAIN,
    },
    function* (_, index, { stream }) {
      const { size } = stream.payload(index);
      if (
        size <= MOST_BYTES &&
        size > 0 &&
        stream.bytes(index).at(-1) !== 0 &&
        !isErrorText(stream.kind(index - 1))
      )
        yield { what: "the NUL at the end is missing", found: stream.text(index) };
    },
  ),
];

/** The path of a substitute stands behind FILE_UNLINKED and is relative to the root of its file system. */
function isSubstitute({ stream }: StreamContext, index: number): boolean {
  return index > 0 && stream.kind(index - 1) === RECORDS.FILE_UNLINKED;
}

function isErrorText(before: unknown): boolean {
  return before === RECORDS.ERROR;
}
