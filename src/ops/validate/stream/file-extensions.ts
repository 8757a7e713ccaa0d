import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { SET_FIELD, setCommand } from "./record-rule.js";

/** Types of FILE of the crimg extensions, each with its record. */
const KINDS: readonly (readonly [type: number, kind: RecordKind])[] = [
  [FILE_TYPE.timerfd, RECORDS.TIMERFD],
  [FILE_TYPE.signalfd, RECORDS.SIGNALFD],
  [FILE_TYPE.memfd, RECORDS.MEMFD],
  [FILE_TYPE.inotify, RECORDS.INOTIFY],
];

/** Rules about the extension records of files and terminals. */
export const fileExtensionRules: readonly Rule<StreamContext>[] = [
  {
    id: "FILE_EXTENSION",
    level: "error",
    about: "A file of a type of the crimg extensions has the record of that type, and no other file has.",
    fix: SET_FIELD,
    *check(context) {
      for (const part of context.reader.objects("FILE")) {
        const file = context.reader.find(part, RECORDS.FILE);
        if (file === undefined) continue;
        for (const [type, kind] of KINDS) {
          const record = context.reader.index(part, kind);
          if ((file.value.f_type === type) === (record !== undefined)) continue;
          yield {
            at: context.at(record ?? file.index),
            what:
              record === undefined
                ? `the ${kind.name} of the file is missing`
                : `a ${kind.name} of a file of another type`,
            expected: record === undefined ? kind.name : `f_type ${type}`,
            found: String(file.value.f_type),
          };
        }
      }
    },
  },
  {
    id: "TTY_SESSION",
    level: "error",
    about: "The session and the foreground group of a terminal are ids of PIDS.",
    fix: SET_FIELD,
    *check(context) {
      const ids = context.share(storedTasks);
      if (ids?.pids === undefined) return;
      for (const { index, value } of context.each(RECORDS.TTY_EXTRA))
        for (const field of ["sid_ref", "pgrp_ref"] as const)
          if (value[field] > 0 && ids.numberOf(value[field]) === undefined)
            yield {
              at: context.at(index, { field }),
              fix: setCommand(context, index, field, 0),
              what: `${value[field]} names no id`,
              expected: "an id of PIDS, or 0",
              found: "none",
            };
    },
  },
];
