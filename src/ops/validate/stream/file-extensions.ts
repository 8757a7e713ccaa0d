import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { S_IFMT } from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { AGAIN, hex, recordRule } from "./record-rule.js";

const IDENTITY_FLAGS = 15;
const HAS_MODE = 1;
const HAS_MTIME = 8;
const SECOND = 1_000_000_000;
const LAST_AREA_KIND = 3;
const VDSO_KIND = 1;
const VDSO_TYPE = 1;
/** Types of FILE that our extension brings, each with its record. */
const KINDS: readonly (readonly [type: number, kind: RecordKind])[] = [
  [1001, RECORDS.TIMERFD],
  [1002, RECORDS.SIGNALFD],
  [1003, RECORDS.MEMFD],
  [1004, RECORDS.INOTIFY],
];

/** Rules about the extension records of files, sockets, terminals and areas. */
export const fileExtensionRules: readonly Rule<StreamContext>[] = [
  {
    id: "FILE_EXTENSION",
    level: "error",
    about: "A file of a type of our extension has the record of that type, and no other file has.",
    mend: AGAIN,
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
  recordRule(
    RECORDS.FILE_IDENTITY,
    {
      id: "IDENTITY_VALUES",
      level: "error",
      about: "FILE_IDENTITY stores a mode with a type, and less than a second of nanoseconds.",
      mend: AGAIN,
    },
    function* ({ flags, mode, mtime_nsec }) {
      if ((flags & ~IDENTITY_FLAGS) !== 0)
        yield {
          field: "flags",
          right: flags & IDENTITY_FLAGS,
          what: "unknown flags",
          expected: `within ${IDENTITY_FLAGS}`,
          found: hex(flags),
        };
      if ((flags & HAS_MODE) !== 0 && (mode & S_IFMT) === 0)
        yield { field: "mode", what: "a mode without the type of the file", found: `0${mode.toString(8)}` };
      if ((flags & HAS_MTIME) !== 0 && mtime_nsec >= SECOND)
        yield {
          field: "mtime_nsec",
          right: 0,
          what: "more than a second",
          expected: `below ${SECOND}`,
          found: String(mtime_nsec),
        };
    },
  ),
  {
    id: "PIPE_CAPACITY",
    level: "error",
    about: "PIPE_STATE belongs to a pipe or fifo and gives whole pages.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("FILE")) {
        const state = context.reader.find(part, RECORDS.PIPE_STATE);
        if (state === undefined) continue;
        const { capacity } = state.value;
        const isPipe = context.reader.find(part, RECORDS.FILE)?.value.pipe_objref !== undefined;
        if (!isPipe || capacity === 0 || capacity % PAGE_SIZE !== 0)
          yield {
            at: context.at(state.index, { field: "capacity" }),
            what: isPipe ? "no capacity of a pipe" : "the capacity of what is no pipe",
            expected: isPipe ? `a multiple of ${PAGE_SIZE}` : "a pipe or fifo",
            found: String(capacity),
          };
      }
    },
  },
  recordRule(
    RECORDS.MEMFD,
    {
      id: "MEMFD_VALUES",
      level: "error",
      about: "A memfd has an inode.",
      mend: AGAIN,
    },
    function* ({ inode_objref }) {
      if (inode_objref <= 0)
        yield {
          field: "inode_objref",
          what: "no number of an inode",
          expected: "above 0",
          found: String(inode_objref),
        };
    },
  ),
  {
    id: "WATCH_NUMBER",
    level: "error",
    about: "The watches of an inotify instance have numbers of their own from 1 on and wait for something.",
    mend: AGAIN,
    *check(context) {
      for (const file of context.reader.objects("FILE")) {
        const seen = new Set<number>();
        for (const part of file.parts) {
          const index = part.rule === "watch" ? part.records[0] : undefined;
          const watch = context.valueAt(index, RECORDS.INOTIFY_WATCH);
          if (index === undefined || watch === undefined) continue;
          if (watch.wd <= 0 || seen.has(watch.wd))
            yield {
              at: context.at(index, { field: "wd" }),
              what: watch.wd <= 0 ? "no number of a watch" : `the number ${watch.wd} is there twice`,
              found: String(watch.wd),
            };
          if (watch.mask === 0)
            yield { at: context.at(index, { field: "mask" }), what: "a watch that waits for nothing" };
          seen.add(watch.wd);
        }
      }
    },
  },
  {
    id: "TTY_SESSION",
    level: "error",
    about: "The session and the foreground group of a terminal are ids of PIDS.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks);
      if (ids?.pids === undefined) return;
      for (const { index, value } of context.each(RECORDS.TTY_EXTRA))
        for (const field of ["sid_ref", "pgrp_ref"] as const)
          if (value[field] > 0 && ids.numberOf(value[field]) === undefined)
            yield {
              at: context.at(index, { field }),
              what: `${value[field]} names no id`,
              expected: "an id of PIDS, or 0",
              found: "none",
            };
    },
  },
  {
    id: "AREA_KIND",
    level: "error",
    about: "VMA_EXTRA gives a kind from 0 to 3, and vdso (1) exactly where the area is one.",
    mend: AGAIN,
    *check(context) {
      for (const { index, value } of context.each(RECORDS.VMA_EXTRA)) {
        const at = context.at(index, { field: "kind" });
        const type = context.valueAt(index - 1, RECORDS.VMA)?.vma_type;
        if (value.kind > LAST_AREA_KIND)
          yield {
            at,
            what: "no kind of an area",
            expected: `0 to ${LAST_AREA_KIND}`,
            found: String(value.kind),
          };
        else if (type === undefined)
          yield { at, what: "it does not stand with an area", expected: "VMA before it" };
        else if ((value.kind === VDSO_KIND) !== (type === VDSO_TYPE))
          yield {
            at,
            what: "another kind than the type of the area",
            expected: type === VDSO_TYPE ? String(VDSO_KIND) : "0, 2 or 3",
            found: String(value.kind),
          };
      }
    },
  },
];
