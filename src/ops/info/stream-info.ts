import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { type ExtensionFacts, ownRecords, type RecordCounts } from "../../formats/linux-cr/own-records.js";
import { parseImage } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { REVISIONS } from "../../formats/linux-cr/revisions.js";

/** Facts about a linux-cr stream, complete or truncated. Sizes and offsets are in bytes. */
export interface StreamInfo {
  readonly file: string;
  readonly kind: "linux-cr stream";
  readonly count: number;
  readonly size: number;
  readonly byteOrder: "little-endian" | "big-endian";
  readonly architecture: string;
  /** Matching header sets, oldest first. */
  readonly revisions: readonly { readonly commit: string; readonly label: string; readonly date: string }[];
  /** Signs of other header sets. */
  readonly doubts: readonly string[];
  /** Release, version and machine of the kernel that wrote it, as far as readable. */
  readonly kernel: readonly string[];
  /** When the checkpoint was taken, in seconds since 1970. */
  readonly time: bigint;
  /** Complete tasks and objects. */
  readonly tasks: number;
  readonly objects: number;
  /** Records that only crimg writes, by name; undefined if there are none. */
  readonly dialect: RecordCounts | undefined;
  /** crimg extension records in it; undefined if there are none. */
  readonly extensions: ExtensionFacts | undefined;
  /** Records of unknown ids. */
  readonly unknown: number;
  readonly ending: {
    readonly kind: string;
    readonly offset: number;
    /** Bytes after the last record. */
    readonly rest: number;
  };
  /** Why it cannot be restored: truncated, damaged, a failed checkpoint; with record and offset. */
  readonly problem: string | undefined;
}

export function streamInfo(image: LinuxCrImage): StreamInfo {
  const { tasks, objects, unknown, problem } = parseImage(image);
  const { candidates, doubts } = image.revision;
  const commits = new Set(candidates.map(({ commit }) => commit));
  const { dialect, extensions } = ownRecords(image);
  const { kind, offset, rest } = image.ending;
  return {
    file: image.name,
    kind: "linux-cr stream",
    count: image.length,
    size: offset + rest,
    byteOrder: image.byteOrder,
    architecture: image.dialect.arch.name,
    revisions: REVISIONS.filter(({ commit }) => commits.has(commit)).map(({ commit, label, date }) => ({
      commit,
      label,
      date,
    })),
    doubts,
    kernel: kernelOf(image),
    time: image.value(0, RECORDS.HEADER).time,
    tasks: tasks.length,
    objects: objects.size,
    dialect: Object.keys(dialect).length === 0 ? undefined : dialect,
    extensions,
    unknown: unknown.length,
    ending: { kind, offset, rest },
    problem: problem?.message,
  };
}

/** The three BUFFERs after HEADER. */
export function kernelOf(image: LinuxCrImage): string[] {
  const texts: string[] = [];
  for (let i = 1; i <= 3 && image.kind(i) === RECORDS.BUFFER; i++) texts.push(image.text(i));
  return texts;
}
