import { RECORDS } from "../../../formats/linux-cr/records.js";
import { S_IFCHR, S_IFDIR, S_IFMT } from "../../../linux/files.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { areasOf } from "./memory.js";
import { AGAIN, hex, recordRule } from "./record-rule.js";

const MOST_UMASK = 0o777;
const TTY_FLAGS = 31;
const AREA_FLAGS = 7;
const VDSO = 1;

/** Rules about the extension records of directories, terminals, areas and IPC namespaces. */
export const placeExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FS,
    {
      id: "FS_UMASK",
      level: "error",
      about: "The umask of a task has permissions only.",
      mend: AGAIN,
    },
    function* ({ umask = 0 }) {
      if (umask > MOST_UMASK)
        yield {
          field: "umask",
          right: umask & MOST_UMASK,
          what: "more than permissions",
          expected: "up to 0777",
          found: `0${umask.toString(8)}`,
        };
    },
  ),
  recordRule(
    RECORDS.FS_EXTRA,
    {
      id: "FS_DIRECTORIES",
      level: "error",
      about: "The modes of FS_EXTRA are those of directories, or 0 where they are not stored.",
      mend: AGAIN,
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
      mend: AGAIN,
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
          what: "a mode that is no terminal's",
          expected: "02xxxx (octal)",
          found: `0${mode.toString(8)}`,
        };
    },
  ),
  recordRule(
    RECORDS.VMA_EXTRA,
    {
      id: "AREA_EXTRA_FLAGS",
      level: "error",
      about: "VMA_EXTRA has flags that there are.",
      mend: AGAIN,
    },
    function* ({ flags }) {
      if ((flags & ~AREA_FLAGS) !== 0)
        yield {
          field: "flags",
          right: flags & AREA_FLAGS,
          what: "unknown flags",
          expected: `within ${AREA_FLAGS}`,
          found: hex(flags),
        };
    },
  ),
  {
    id: "AREA_VDSO_ONCE",
    level: "error",
    about: "An address space has one vDSO.",
    mend: AGAIN,
    *check(context) {
      for (const mm of context.reader.objects("MM")) {
        const all = [...areasOf(context, mm)].filter(([, { vma_type }]) => vma_type === VDSO);
        for (const [index] of all.slice(1))
          yield {
            at: context.at(index, { field: "vma_type" }),
            what: "a second vDSO",
            found: `the first is record ${all[0]?.[0]}`,
          };
      }
    },
  },
];
