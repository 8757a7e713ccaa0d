import { errorText } from "../../../formats/linux-cr/parse.js";
import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { isExtensionId } from "../../../formats/linux-cr/records/extensions.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { fitsLength } from "../../../formats/linux-cr/revision.js";
import { TAIL_MAGIC } from "../../../formats/linux-cr/tables/head.js";
import { hex } from "../../../io/hex.js";
import type { Found, Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

/** Rules about the records of a stream as records: where they begin and end, and in which order. */
export const framingRules: readonly Rule<StreamContext>[] = [
  {
    id: "STREAM_FAILED",
    level: "error",
    about: "The checkpoint did not fail: a stream without an ERROR record.",
    fix: "Take the checkpoint again once what the message names is fixed; nothing restores this one.",
    *check(context) {
      const [record] = context.share(recordsByKind).get(RECORDS.ERROR) ?? [];
      if (record !== undefined)
        yield {
          at: context.at(record),
          what: "the checkpoint failed, and the kernel wrote why instead of the rest",
          expected: "TAIL",
          found: errorText(context.stream, record),
        };
    },
  },
  {
    id: "STREAM_END",
    level: "error",
    about: "A stream ends with TAIL.",
    fix: "Copy the stream again; what the note STREAM_SALVAGED counts can be shown all the same.",
    *check(context) {
      const { stream } = context;
      const { error, rest } = stream.ending;
      if (error === undefined || context.share(recordsByKind).has(RECORDS.ERROR)) return;
      const behind = rest === 0 ? "" : ` and ${rest} bytes`;
      yield {
        at: context.at(stream.length),
        what: error.text,
        expected: "TAIL as the last record",
        found: `${stream.length} whole records${behind}`,
      };
    },
  },
  {
    id: "STREAM_ORDER",
    level: "error",
    about: "Records stand in the order of the format, each with the records that belong to it.",
    fix: "Copy the stream again; an editor that moved, added or removed records must correct the counts.",
    *check(context) {
      const { tree, stream } = context;
      const { problem } = tree;
      if (problem === undefined || problem === stream.ending.error) return;
      const record = Number(problem.path?.slice(1, -1) ?? Number.NaN);
      // Others tell of a failed checkpoint, and of records that are too new.
      if (stream.kind(record) === RECORDS.ERROR || stream.kind(record) === RECORDS.EXTENSIONS) return;
      // A stream that ends too early has been told of.
      if (record >= stream.length && stream.ending.error !== undefined) return;
      yield {
        at: Number.isNaN(record) ? {} : context.at(record),
        what: problem.text,
        found: inside(context),
      };
    },
  },
  {
    id: "STREAM_SALVAGED",
    level: "note",
    about: "A stream can be read to its end.",
    fix: "crimg show, crimg dump and crimg find work with what could be read.",
    *check(context) {
      const { problem, tasks, objects } = context.tree;
      if (problem === undefined) return;
      const count = context.each(RECORDS.TREE).next().value?.value.nr_tasks;
      yield {
        at: context.at(context.stream.length),
        what: `${tasks.length} of ${count ?? "unknown"} tasks and ${objects.size} objects are whole`,
        found: inside(context),
      };
    },
  },
  recordRule(
    RECORDS.TAIL,
    {
      id: "STREAM_TAIL",
      level: "error",
      about: "TAIL has the magic number that ends a stream.",
      fix: SET_FIELD,
    },
    function* ({ magic }) {
      if (magic !== TAIL_MAGIC)
        yield {
          field: "magic",
          right: hex(TAIL_MAGIC),
          what: "another number than the one that ends a stream",
          expected: hex(TAIL_MAGIC),
          found: hex(magic),
        };
    },
  ),
  {
    id: "STREAM_TRAILING",
    level: "warning",
    about: "Nothing follows TAIL.",
    fix: "Cut it off with truncate(1), unless several streams were joined: then split them.",
    *check(context) {
      const { kind, rest, offset } = context.stream.ending;
      if (kind === "tail" && rest > 0)
        yield {
          at: { ...context.at(context.stream.length), offset },
          what: "bytes behind the end of the stream",
          expected: "none",
          found: `${rest} bytes`,
        };
    },
  },
  {
    id: "RECORD_UNKNOWN",
    level: "warning",
    about: "Every record belongs to the format or to a crimg extension.",
    fix: "A record of 20000 to 20999 is from a newer crimg: use that. Others are from another writer; they are kept, and not understood.",
    check: unknownRecords,
  },
  {
    id: "RECORD_LENGTH",
    level: "error",
    about: "Each record has a length that its kind can have; the kernel reads no other.",
    fix: AGAIN,
    *check(context) {
      const { stream } = context;
      for (const [kind, records] of context.share(recordsByKind))
        for (const record of records) {
          const { size } = stream.range(record);
          if (fitsLength(kind, stream.dialect, size) || mayBeLonger(context, kind, size)) continue;
          yield {
            at: context.at(record),
            what: `a ${kind.name} of a length that it cannot have`,
            expected: `${stream.layout(record)?.size ?? 8} bytes`,
            found: `${size} bytes`,
          };
        }
    },
  },
  {
    id: "STREAM_REVISION",
    level: "warning",
    about: "The signs by which a stream tells its header set agree.",
    fix: "Copy the stream again; if it was edited, the edited record has a length or a number of another header set.",
    *check({ stream }) {
      const { commit, arch } = stream.dialect;
      for (const doubt of stream.revision.doubts)
        yield {
          at: {},
          what: "a sign that contradicts the others",
          expected: `those of header set ${commit} on ${arch.name}`,
          found: doubt,
        };
    },
  },
];

/** The parts that were being read where the order is broken: `task, FILE_TABLE 12, FILE 13`. */
function inside({ tree }: StreamContext): string | undefined {
  const parts = tree.unfinished.map(({ rule, objref }) =>
    objref === undefined ? rule : `${rule} ${objref}`,
  );
  return parts.length === 0 ? undefined : `in ${parts.slice(0, 8).join(", ")}`;
}

/** One finding for each unknown id. */
function* unknownRecords(context: StreamContext): Generator<Found> {
  const { stream } = context;
  const counts = new Map<number, { first: number; count: number }>();
  for (let record = 0; record < stream.length; record++) {
    if (stream.kind(record) !== undefined) continue;
    const id = stream.id(record) as number;
    const seen = counts.get(id);
    if (seen === undefined) counts.set(id, { first: record, count: 1 });
    else seen.count++;
  }
  for (const [id, { first, count }] of counts)
    yield {
      at: context.at(first),
      what: isExtensionId(id) ? "records of a newer crimg" : "records that the format does not have",
      found: `${count} of id ${id}`,
    };
}

/** A later version of our records may append fields. */
function mayBeLonger(context: StreamContext, kind: RecordKind, size: number): boolean {
  if (kind.certainty !== "our extension") return false;
  const version = context.each(RECORDS.EXTENSIONS).next().value?.value.version ?? 1;
  return version > 1 && size > (kind.layouts[0]?.table.size ?? 8);
}
