import { IMAGES } from "../../../formats/criu/images.js";
import { occurrences } from "../../../io/search.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import type { Field, MessageTable } from "../../../schema/message.js";
import { formatPath } from "../../../schema/patch.js";
import { fieldVisitor } from "../../../schema/visit.js";
import type { Edit } from "../plan.js";
import type { SetRecords } from "./set-records.js";

/** Picks the fields of a kind of edit. */
export type Wants = (field: Field, name: string, table: MessageTable) => boolean;

/** Fields of all image kinds that hold a path of the file system. */
export function holdsPath({ holds: what }: Field): boolean {
  return what === "path" || what === "path-text";
}

/** Why a field that holds text is not changed by an edit of other fields. */
const REASONS: Readonly<Record<string, string>> = {
  label: "a label or key, which only looks like it",
  path: "a path; --remap-path changes it",
  "path-text": "a path; --remap-path changes it",
  "cgroup-path": "a cgroup path; --cgroup changes it",
  "task-name": "the name of a task; --comm changes it",
  "host-name": "a host name; --hostname changes it",
  interface: "the name of a network interface",
};

/**
 * Notes where the old text of an edit stands in fields that the edit does not change, in payloads and in raw images
 * other than pages. An image is only decoded when its bytes hold the text.
 */
export function leaveSimilar(editor: SetRecords, edit: Edit, text: string, wants: Wants): void {
  const needle = textToBytes(text);
  if (needle.length === 0) return;
  for (const { name, kind } of editor.set.files) {
    if (kind === undefined || kind === IMAGES.PAGES) continue;
    if (kind === IMAGES.TMPFS_DEV || kind === IMAGES.TMPFS_IMG) {
      editor.notes.add(`${name}, the compressed contents of a tmpfs, was not searched`);
      continue;
    }
    if (
      kind.magic !== undefined &&
      kind.payload.length === 0 &&
      !kind.entries.some(({ message }) => hasText(message))
    )
      continue;
    const source = editor.files.open(name);
    if (source === undefined) continue;
    if (occurrences(source, needle).next().done === true) continue;
    if (kind.magic === undefined) leaveRaw(editor, edit, name, needle, kind.doc);
    else leaveInRecords(editor, edit, name, needle, text, wants);
  }
}

function leaveRaw(editor: SetRecords, edit: Edit, image: string, needle: Buffer, doc: string): void {
  const source = editor.files.open(image);
  if (source === undefined) return;
  for (const offset of occurrences(source, needle))
    editor.leave(edit, {
      image,
      record: undefined,
      field: `0x${offset.toString(16)}`,
      value: bytesToText(needle),
      why: `${doc}: crimg does not edit this`,
    });
}

function leaveInRecords(
  editor: SetRecords,
  edit: Edit,
  name: string,
  needle: Buffer,
  text: string,
  wants: Wants,
): void {
  const image = editor.set.imageNamed(name);
  if (image === undefined) return;
  for (const record of image.records()) {
    const visitor = otherText(record.table, wants);
    visitor?.(record.value, ({ path, field, owner, name: member }) => {
      const values = field.label === "repeated" ? (owner[member] as unknown[]) : [owner[member]];
      for (const value of values)
        if (holds(value, text, needle))
          editor.leave(edit, {
            image: name,
            record: record.index,
            field: formatPath(path),
            value,
            why: REASONS[field.holds ?? ""] ?? "not a field that this edit changes",
          });
    });
    for (const { name: part, offset, size, message } of record.payload) {
      if (message !== undefined || size === 0) continue;
      const data = {
        name,
        size,
        read: (at: number, n: number) => image.source.read(offset + at, n),
        close() {},
      };
      for (const at of occurrences(data, needle))
        editor.leave(edit, {
          image: name,
          record: record.index,
          field: `${part}+0x${at.toString(16)}`,
          value: text,
          why: "user data",
        });
    }
  }
}

function holds(value: unknown, text: string, needle: Buffer): boolean {
  if (typeof value === "string") return value.includes(text);
  return Buffer.isBuffer(value) && value.includes(needle);
}

const textTables = new WeakMap<MessageTable, boolean>();

function hasText(table: MessageTable): boolean {
  const known = textTables.get(table);
  if (known !== undefined) return known;
  const has = fieldVisitor(table, isText) !== undefined;
  textTables.set(table, has);
  return has;
}

function isText(field: Field): boolean {
  return field.type === "string" || field.type === "bytes";
}

const visitors = new WeakMap<Wants, Map<MessageTable, ReturnType<typeof fieldVisitor>>>();

function otherText(table: MessageTable, wants: Wants): ReturnType<typeof fieldVisitor> {
  let known = visitors.get(wants);
  if (known === undefined) {
    known = new Map();
    visitors.set(wants, known);
  }
  if (!known.has(table))
    known.set(
      table,
      fieldVisitor(table, (field, name, owner) => isText(field) && !wants(field, name, owner)),
    );
  return known.get(table);
}
