import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { MAX_RECORD_BYTES } from "../../../io/limits.js";
import { textToBytes } from "../../../io/text.js";
import { structLeaves } from "../../../schema/struct-fields.js";
import type { Edit } from "../plan.js";
import type { StreamRecords } from "./stream-records.js";

/** Picks the fields of a kind of edit. */
export type Wants = (kind: RecordKind | undefined, field: string) => boolean;

/** Why a text that looks like what an edit changes stays where it stands. */
const REASONS: ReadonlyMap<RecordKind, string> = new Map<RecordKind, string>([
  [RECORDS.FILE_NAME, "a path; --remap-path changes it"],
  [RECORDS.INOTIFY_WATCH, "a path; --remap-path changes it"],
  [RECORDS.CGROUP_SET, "a control group; --cgroup changes it"],
  [RECORDS.UTS_NS, "a host name; --hostname changes it"],
  [RECORDS.PIPE_BUF, "unread bytes of a pipe, which are user data"],
  [RECORDS.MEMFD, "the name of a memfd, which is no path"],
]);

/**
 * Notes where the old text of an edit stands in records that the edit does not change. Pages are left out: they are
 * searched by --scan-memory. `wants`: the edit changes this field, or has told of it already.
 */
export function leaveSimilar(editor: StreamRecords, edit: Edit, text: string, wants: Wants): void {
  const needle = textToBytes(text);
  const { image } = editor;
  if (needle.length === 0) return;
  for (let index = 0; index < image.length; index++) {
    if (image.kind(index) === RECORDS.PGARR) {
      // Its BUFFER holds pages.
      if (image.kind(index + 1) === RECORDS.BUFFER) index++;
      continue;
    }
    const { offset, size } = image.range(index);
    if (size > MAX_RECORD_BYTES || editor.isDropped(index)) continue;
    if (!image.source.read(offset, size).includes(needle)) continue;
    leaveInRecord(editor, edit, index, text, needle, wants);
  }
}

function leaveInRecord(
  editor: StreamRecords,
  edit: Edit,
  index: number,
  text: string,
  needle: Buffer,
  wants: Wants,
): void {
  const { image } = editor;
  const kind = image.kind(index);
  const why = (kind && REASONS.get(kind)) ?? "not a field that this edit changes";
  const leave = (field: string, value: unknown): void => {
    if (!wants(kind, field)) editor.leave(edit, { image: editor.name, record: index, field, value, why });
  };
  const table = image.layout(index);
  for (const { path, value } of table === undefined ? [] : structLeaves(table, editor.fields(index)))
    if (typeof value === "string" ? value.includes(text) : Buffer.isBuffer(value) && value.includes(needle))
      leave(path, value);
  const payload = editor.payload(index);
  if (!payload.includes(needle)) return;
  if (kind?.payload === "path" || kind?.payload === "text") leave("text", editor.text(index));
  else leave(`payload+0x${payload.indexOf(needle).toString(16)}`, text);
}
