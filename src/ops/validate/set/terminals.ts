import { IMAGES } from "../../../formats/criu/images.js";
import { TTY_TYPE } from "../../../formats/criu/tables/tty.js";
import { enumName } from "../../../io/enums.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";

const PTY = 1;
const AGAIN = "Copy tty-info.img again from where the set was made.";
const INFO = IMAGES.TTY_INFO.file;

/** Rules about terminals. */
export const terminalRules: readonly Rule<SetContext>[] = [
  {
    id: "TTY_PTY",
    level: "error",
    about: "A pseudo terminal has its number.",
    fix: AGAIN,
    *check({ set }) {
      for (const { value, index } of set.records(IMAGES.TTY_INFO))
        if (value.type === PTY && value.pty === undefined)
          yield {
            at: { image: INFO, record: index, field: "pty" },
            what: "the number of the pseudo terminal is missing",
            expected: `pty, for type ${enumName(TTY_TYPE, value.type)}`,
            found: "none",
          };
    },
  },
  {
    id: "TTY_SETTINGS",
    level: "error",
    about: "A terminal has all of its settings, or none when it was hung up.",
    fix: AGAIN,
    *check({ set }) {
      for (const { value, index } of set.records(IMAGES.TTY_INFO)) {
        const parts = ["termios", "termios_locked", "winsize"] as const;
        const missing = parts.filter((part) => value[part] === undefined);
        if (missing.length > 0 && missing.length < parts.length)
          yield { at: { image: INFO, record: index }, what: `${missing.join(", ")} missing` };
      }
    },
  },
  {
    id: "TTY_DUPLICATE",
    level: "error",
    about: "No two terminals have one id.",
    fix: "crimg edit --set gives one of the two another id, and the files of that terminal the same tty_info_id.",
    *check({ set }) {
      const seen = new Set<number>();
      for (const { value, index } of set.records(IMAGES.TTY_INFO)) {
        if (seen.has(value.id))
          yield { at: { image: INFO, record: index, field: "id" }, what: `the id ${value.id} is used twice` };
        seen.add(value.id);
      }
    },
  },
];
