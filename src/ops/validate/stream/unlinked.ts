import type { Part } from "../../../formats/linux-cr/part.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { S_IFMT } from "../../../linux/files.js";
import { O_ASYNC } from "../../../linux/open-flags.js";
import { NSIG } from "../../../linux/signals.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { storedTasks } from "./pids.js";
import { AGAIN, hex, recordRule, setCommand } from "./record-rule.js";

const CONTENTS = 2;
const LAST_METHOD = 3;
const REGULAR = 1;
const SYMLINK = 4;
const LAST_KIND = 6;
/** The kind of a fifo, and the type of a FILE that is one. */
const FIFO = 3;
const HAS_MODE = 1;
/** Type of a mode by the kind: regular, directory, fifo, symbolic link, character and block device. */
const TYPES_OF_KINDS = [undefined, 0o100000, 0o040000, 0o010000, 0o120000, 0o020000, 0o060000];
const FLAGS = 3;
const OFFSET_BYTES = 8;
const LAST_PID_TYPE = 3;
const MEND =
  "crimg edit --deleted PATH=relink:NEWPATH, copy:NEWPATH or contents changes how the file comes back.";

/** Rules about files whose names were gone, and about who gets the signals of a file. */
export const unlinkedRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.FILE_UNLINKED,
    {
      id: "UNLINKED_VALUES",
      level: "error",
      about:
        "A deleted file is kept by a link (1), its contents (2) or a copy (3), and is of a kind from 1 to 6; only regular files and symbolic links have contents.",
      mend: MEND,
    },
    function* ({ method, kind, nr_chunks, flags }) {
      if (method < 1 || method > LAST_METHOD)
        yield {
          field: "method",
          what: "no way to keep a file",
          expected: `1 to ${LAST_METHOD}`,
          found: String(method),
        };
      if (kind < 1 || kind > LAST_KIND)
        yield {
          field: "kind",
          what: "no kind of a file",
          expected: `1 to ${LAST_KIND}`,
          found: String(kind),
        };
      else if (nr_chunks > 0 && (method !== CONTENTS || (kind !== REGULAR && kind !== SYMLINK)))
        yield {
          field: "nr_chunks",
          what: "contents of a file that has none here",
          expected: "0",
          found: String(nr_chunks),
        };
      if ((flags & ~FLAGS) !== 0)
        yield {
          field: "flags",
          right: flags & FLAGS,
          what: "unknown flags",
          expected: `within ${FLAGS}`,
          found: hex(flags),
        };
    },
  ),
  {
    id: "UNLINKED_KIND",
    level: "error",
    about:
      "The kind of a deleted file is that of its modes and of how it was opened: fifo (3) exactly where f_type is 3.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("FILE")) {
        const unlinked = context.reader.find(part, RECORDS.FILE_UNLINKED);
        const file = context.reader.find(part, RECORDS.FILE);
        if (unlinked === undefined || file === undefined) continue;
        const { kind, mode } = unlinked.value;
        const at = context.at(unlinked.index, { field: "kind" });
        if ((kind === FIFO) !== (file.value.f_type === FIFO))
          yield {
            at,
            what: "another kind than the open file's",
            expected: `f_type ${kind === FIFO ? FIFO : "other than 3"}`,
            found: String(file.value.f_type),
          };
        const identity = context.reader.find(part, RECORDS.FILE_IDENTITY)?.value;
        const stored = identity === undefined || (identity.flags & HAS_MODE) === 0 ? 0 : identity.mode;
        const expected = TYPES_OF_KINDS[kind];
        const wrong = [mode, stored].find((each) => (each & S_IFMT) !== 0 && (each & S_IFMT) !== expected);
        if (expected !== undefined && wrong !== undefined)
          yield {
            at,
            what: "another kind than the file's mode has",
            expected: `0${expected.toString(8)}`,
            found: `0${wrong.toString(8)}`,
          };
      }
    },
  },
  {
    id: "UNLINKED_PATH",
    level: "error",
    about:
      "The substitute of a deleted file has a path without .., which no other file of the stream is opened by.",
    mend: MEND,
    *check(context) {
      const names = new Map<string, number>();
      for (const part of context.reader.objects("FILE"))
        if (context.reader.index(part, RECORDS.FILE_UNLINKED) === undefined) {
          const name = context.reader.text(part, RECORDS.FILE_NAME);
          if (name !== undefined) names.set(name, part.objref ?? 0);
        }
      for (const part of context.reader.objects("FILE")) {
        const record = substituteOf(context, part);
        if (record === undefined) continue;
        const path = context.stream.text(record);
        const rival = names.get(path) ?? names.get(`/${path}`);
        const what =
          path === ""
            ? "a substitute without a path"
            : path.split("/").includes("..")
              ? "the path of the substitute leads upwards"
              : rival !== undefined
                ? "another file is opened by the path of the substitute"
                : undefined;
        if (what !== undefined)
          yield {
            at: context.at(record, { path }),
            what,
            found: rival === undefined ? undefined : `object ${rival}`,
            level: rival === undefined ? "error" : "warning",
          };
      }
    },
  },
  {
    id: "UNLINKED_CONTENTS",
    level: "error",
    about: "The pieces of a deleted file ascend, do not overlap, and lie inside of its size.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("FILE")) yield* chunkProblems(context, part);
    },
  },
  {
    id: "FILE_RECORD_OWNER",
    level: "error",
    about: "Records that belong to an open file name it.",
    mend: AGAIN,
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
    about:
      "Who gets the signals of a file is a task, group or session of PIDS, and the signal is from 0 to 64.",
    mend: AGAIN,
    *check(context) {
      const ids = context.share(storedTasks);
      for (const { index, value } of context.each(RECORDS.FILE_OWNER)) {
        const { pid_ref, pid_type, signum } = value;
        if (pid_ref !== 0 && ids?.pids !== undefined && ids.numberOf(pid_ref) === undefined)
          yield {
            at: context.at(index, { field: "pid_ref" }),
            what: `${pid_ref} names no id`,
            expected: "an id of PIDS, or 0",
            found: "none",
          };
        if (pid_type > LAST_PID_TYPE)
          yield {
            at: context.at(index, { field: "pid_type" }),
            what: "no type of an owner",
            expected: `0 to ${LAST_PID_TYPE}`,
            found: String(pid_type),
          };
        if (signum > NSIG)
          yield {
            at: context.at(index, { field: "signum" }),
            what: "no signal",
            expected: `0 to ${NSIG}`,
            found: String(signum),
          };
      }
    },
  },
  {
    id: "FILE_ASYNC",
    level: "warning",
    about: "FILE_OWNER says that a file sends signals exactly when the file has O_ASYNC.",
    mend: "A restart goes by f_flags: set or clear 020000 (octal) there.",
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

/** The FILE_NAME of the link or copy that keeps a deleted file. */
function substituteOf(context: StreamContext, part: Part): number | undefined {
  const unlinked = context.reader.find(part, RECORDS.FILE_UNLINKED);
  if (unlinked === undefined || unlinked.value.method === CONTENTS) return undefined;
  return context.stream.kind(unlinked.index + 1) === RECORDS.FILE_NAME ? unlinked.index + 1 : undefined;
}

function* chunkProblems(context: StreamContext, part: Part): Generator<Found> {
  const { stream } = context;
  const size = context.reader.find(part, RECORDS.FILE_UNLINKED)?.value.size;
  if (size === undefined) return;
  let end = 0n;
  for (const { rule, records } of part.parts) {
    const [record] = records;
    if (rule !== "chunk" || record === undefined) continue;
    const { offset: start, size: bytes } = stream.payload(record);
    if (bytes < OFFSET_BYTES) {
      yield {
        at: context.at(record),
        what: "a piece without its offset",
        expected: `${OFFSET_BYTES} bytes or more`,
        found: `${bytes}`,
      };
      continue;
    }
    const head = stream.source.read(start, OFFSET_BYTES);
    const offset = stream.byteOrder === "little-endian" ? head.readBigUInt64LE() : head.readBigUInt64BE();
    const last = offset + BigInt(bytes - OFFSET_BYTES);
    if (offset < end || last > size)
      yield {
        at: context.at(record),
        what:
          offset < end ? "a piece before the end of the one before" : "a piece behind the end of the file",
        expected: `${end} to ${size}`,
        found: `${offset} to ${last}`,
      };
    if (last > end) end = last;
  }
}
