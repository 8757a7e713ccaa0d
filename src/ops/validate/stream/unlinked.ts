import { RECORDS } from "../../../formats/linux-cr/records.js";
import { UNLINKED_KIND, UNLINKED_METHOD, UNLINKED_TYPES } from "../../../formats/linux-cr/tables/dialect.js";
import { S_IFMT } from "../../../linux/files.js";
import { O_ASYNC } from "../../../linux/open-flags.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { recordRule, SET_FIELD, setCommand } from "./record-rule.js";

/** Kinds with bytes of their own. */
const WITH_CONTENTS: ReadonlySet<number> = new Set([UNLINKED_KIND.regular, UNLINKED_KIND["symbolic link"]]);

/** Rules about files whose names were gone, and about who gets the signals of a file. */
export const unlinkedRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE_UNLINKED,
    {
      id: "UNLINKED_VALUES",
      level: "error",
      about: "Only regular files and symbolic links that are kept by their contents have BUFFERs with them.",
      fix: "crimg edit --deleted PATH=relink:NEWPATH, copy:NEWPATH or contents changes how the file comes back.",
    },
    function* ({ method, kind, nr_chunks }) {
      if (nr_chunks > 0 && (method !== UNLINKED_METHOD.contents || !WITH_CONTENTS.has(kind)))
        yield {
          field: "nr_chunks",
          what: "contents of a file that has none here",
          expected: "0",
          found: String(nr_chunks),
        };
    },
  ),
  recordRule(
    RECORDS.FILE_UNLINKED,
    {
      id: "UNLINKED_KIND",
      level: "error",
      about: "The kind of a deleted file is that of its mode.",
      fix: "crimg edit --set [RECORD].kind=NUMBER gives the kind of the mode.",
    },
    function* ({ kind, mode }) {
      const expected = UNLINKED_TYPES[kind] || undefined;
      const right = UNLINKED_TYPES.indexOf(mode & S_IFMT);
      if ((mode & S_IFMT) !== 0 && expected !== undefined && right !== kind)
        yield {
          field: "kind",
          ...(right === -1 ? {} : { right }),
          what: "another kind than the file's mode has",
          expected: `0${expected.toString(8)}`,
          found: `0${(mode & S_IFMT).toString(8)}`,
        };
    },
  ),
  {
    id: "FILE_RECORD_OWNER",
    level: "error",
    about: "Records that belong to an open file name it.",
    fix: SET_FIELD,
    *check(context) {
      const kinds = [
        RECORDS.FILE_UNLINKED,
        RECORDS.FILE_OWNER,
        RECORDS.FILE_IDENTITY,
        RECORDS.UNLINKED_EXTRA,
        RECORDS.OPENED_NAME,
      ];
      for (const part of context.reader.objects("FILE"))
        for (const kind of kinds) {
          const found = context.reader.find(part, kind);
          const number = (found?.value as { readonly file_objref?: number } | undefined)?.file_objref;
          if (found !== undefined && number !== part.objref)
            yield {
              at: context.at(found.index, { field: "file_objref" }),
              what: `a ${kind.name} that names another file than the one that it stands with`,
              expected: String(part.objref),
              found: String(number),
              fix: setCommand(context, found.index, "file_objref", part.objref ?? 0),
            };
        }
    },
  },
  {
    id: "FILE_SIGNALS",
    level: "error",
    about: "Who gets the signals of a file is a task, group or session of PIDS.",
    fix: "crimg edit --set [RECORD].pid_ref=0 takes the owner away.",
    *check(context) {
      const ids = context.share(storedTasks);
      if (ids?.pids === undefined) return;
      for (const { index, value } of context.each(RECORDS.FILE_OWNER))
        if (value.pid_ref !== 0 && ids.numberOf(value.pid_ref) === undefined)
          yield {
            at: context.at(index, { field: "pid_ref" }),
            what: `${value.pid_ref} names no id`,
            expected: "an id of PIDS, or 0",
            found: "none",
            fix: setCommand(context, index, "pid_ref", 0),
          };
    },
  },
  {
    id: "FILE_ASYNC",
    level: "warning",
    about: "FILE_OWNER says that a file sends signals exactly when the file has O_ASYNC.",
    fix: "A restart goes by f_flags: set or clear 020000 (octal) there.",
    *check(context) {
      for (const part of context.reader.objects("FILE")) {
        const owner = context.reader.find(part, RECORDS.FILE_OWNER);
        const file = context.reader.find(part, RECORDS.FILE);
        if (owner === undefined || file === undefined) continue;
        const isAsync = (file.value.f_flags & O_ASYNC) !== 0;
        if ((owner.value.async !== 0) !== isAsync)
          yield {
            at: context.at(owner.index, { field: "async" }),
            what: "signals that f_flags does not have, or the other way round",
            expected: isAsync ? "1" : "0",
            found: String(owner.value.async),
            fix: setCommand(context, owner.index, "async", isAsync ? 1 : 0),
          };
      }
    },
  },
];
