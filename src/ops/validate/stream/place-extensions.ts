import { RECORDS } from "../../../formats/linux-cr/records.js";
import { hex } from "../../../io/hex.js";
import { S_IFCHR, S_IFDIR, S_IFMT } from "../../../linux/files.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule, SET_FIELD } from "./record-rule.js";

const TTY_FLAGS = 31;

/** Rules about the extension records of directories and terminals. */
export const placeExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FS_EXTRA,
    {
      id: "FS_DIRECTORIES",
      level: "error",
      about: "The modes of FS_EXTRA are those of directories, or 0 where they are not stored.",
      fix: SET_FIELD,
    },
    function* (extra) {
      for (const field of ["cwd_mode", "root_mode"] as const)
        if (extra[field] !== 0 && (extra[field] & S_IFMT) !== S_IFDIR)
          yield {
            field,
            right: ((extra[field] & ~S_IFMT) | S_IFDIR) >>> 0,
            what: "a mode that is no directory's",
            expected: "0 or 04xxxx (octal)",
            found: `0${extra[field].toString(8)}`,
          };
    },
  ),
  recordRule(
    RECORDS.TTY_EXTRA,
    {
      id: "TTY_EXTRA_VALUES",
      level: "error",
      about: "TTY_EXTRA has flags that there are, and the mode of a character device.",
      fix: SET_FIELD,
    },
    function* ({ flags, mode }) {
      if ((flags & ~TTY_FLAGS) !== 0)
        yield {
          field: "flags",
          right: flags & TTY_FLAGS,
          what: "unknown flags",
          expected: `within ${TTY_FLAGS}`,
          found: hex(flags),
        };
      if ((mode & S_IFMT) !== 0 && (mode & S_IFMT) !== S_IFCHR)
        yield {
          field: "mode",
          right: ((mode & ~S_IFMT) | S_IFCHR) >>> 0,
          what: "a mode that is no terminal's",
          expected: "02xxxx (octal)",
          found: `0${mode.toString(8)}`,
        };
    },
  ),
];
