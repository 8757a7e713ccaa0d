import fs from "node:fs";
import path from "node:path";
import type { RecordValue } from "../../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { EditError } from "../../../../io/errors.js";
import { fsPath, resolveInRoot } from "../../../../io/rooted-path.js";
import { FileSource } from "../../../../io/source.js";
import type { Parsed } from "../../kind.js";
import type { DeletedEdit } from "../../kinds/deleted.js";
import { assertNameIsFree, holdsSame, type NewFile } from "../../new-file.js";
import type { Edit } from "../../plan.js";
import { pathOf, type StreamFile, streamFiles } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { chunksInStream, MAX_STORED_BYTES, type Piece, storedPieces } from "../stored-contents.js";

/** FILE_UNLINKED.method and kind. */
const METHOD = { relink: 1, contents: 2, copy: 3 } as const;
const REGULAR = 1;
const FIFO = 3;
/** FILE_UNLINKED.flags: the substitute is removed once it is open. */
const REMOVE = 1;

type Unlinked = RecordValue<typeof RECORDS.FILE_UNLINKED>;

/** A deleted file: its FILE_UNLINKED and what that says. */
interface DeletedFile {
  readonly edit: Edit;
  readonly file: StreamFile;
  readonly index: number;
  readonly value: Unlinked;
  readonly path: string;
}

/** Changes how deleted files come back; their bytes go into the image or out of it. */
export function planDeleted(edits: readonly Parsed<DeletedEdit>[], draft: StreamDraft): void {
  for (const { edit, args } of edits)
    for (const file of streamFiles(draft)) {
      if (pathOf(draft, file) !== args.path) continue;
      const index = draft.reader.index(file.part, RECORDS.FILE_UNLINKED);
      if (index === undefined)
        draft.leave(edit, {
          image: draft.name,
          record: file.index,
          field: "",
          value: args.path,
          why: "not a deleted file: it was there under its name",
        });
      else {
        const value = draft.value(index, RECORDS.FILE_UNLINKED);
        change(draft, { edit, file, index, value, path: args.path }, args);
      }
    }
}

function change(draft: StreamDraft, found: DeletedFile, { method, to }: DeletedEdit): void {
  const { edit, index, value } = found;
  const old = substituteOf(draft, found);
  draft.matched(edit);
  if (method === "contents" && value.method === METHOD.contents) return;
  if (method !== "contents" && value.method === METHOD[method] && old.path === to) return;
  if (value.kind !== REGULAR && (method === "copy" || (method === "contents" && value.kind !== FIFO)))
    throw new EditError(
      `${found.path} is no regular file, so it has no contents that could be moved; relink:PATH names its link`,
      draft.image.place(index),
    );
  if (method === "contents") takeIn(draft, found, old);
  else {
    if (method === "copy") copyOut(draft, found, old, to);
    else checkLink(draft, found, old, to);
    setSubstitute(draft, found, old, to);
  }
  draft.change(edit, index, "method", METHOD[method]);
  draft.change(edit, index, "flags", method === "contents" ? value.flags & ~REMOVE : value.flags | REMOVE);
}

/** What brings a deleted file back as the image is: a path on disk, or BUFFERs. */
interface Substitute {
  readonly record: number | undefined;
  readonly path: string | undefined;
  readonly chunks: readonly number[];
}

function substituteOf(draft: StreamDraft, { file, value }: DeletedFile): Substitute {
  const record =
    value.method === METHOD.contents ? undefined : draft.reader.index(file.part, RECORDS.FILE_NAME, 1);
  return {
    record,
    path: record === undefined ? undefined : draft.text(record),
    chunks: file.part.parts.filter(({ rule }) => rule === "chunk").flatMap(({ records }) => records),
  };
}

/** One path behind FILE_UNLINKED, in place of the chunks or of another path. */
function setSubstitute(draft: StreamDraft, { edit, index }: DeletedFile, old: Substitute, to: string): void {
  if (old.record !== undefined) {
    draft.setText(edit, old.record, to);
    return;
  }
  for (const chunk of old.chunks) draft.drop(edit, chunk, `${draft.image.payload(chunk).size - 8} bytes`);
  draft.insert(edit, index + 1, RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, to), { FILE_NAME: to });
  draft.change(edit, index, "nr_chunks", 0);
}

/** The bytes of the substitute become BUFFERs of the image, with holes left out. */
function takeIn(draft: StreamDraft, found: DeletedFile, old: Substitute): void {
  const { edit, index, value } = found;
  if (old.record === undefined || old.path === undefined)
    throw new EditError(`${found.path} has no substitute on disk`, draft.image.place(index));
  let chunks: Buffer[] = [];
  if (value.kind === REGULAR) {
    const content = openOnDisk(draft, found, old.path);
    try {
      if (content.size > MAX_STORED_BYTES)
        throw new EditError(
          `${old.path} has ${content.size} bytes; at most ${MAX_STORED_BYTES} of a deleted file are taken into a stream`,
          { file: content.name },
        );
      chunks = [...chunksInStream(content, draft.image.byteOrder)];
    } finally {
      content.close();
    }
  }
  draft.drop(edit, old.record, { FILE_NAME: old.path });
  for (const chunk of chunks)
    draft.insert(edit, index + 1, RECORDS.BUFFER, {}, chunk, { BUFFER: `${chunk.length - 8} bytes` });
  draft.change(edit, index, "nr_chunks", chunks.length);
  draft.notes.add(`${old.path} on disk is no longer needed by the stream; crimg leaves it there`);
}

/** The contents are written to a new file when the edit is carried out. */
function copyOut(draft: StreamDraft, found: DeletedFile, old: Substitute, to: string): void {
  const { mode, uid, gid, size } = found.value;
  const hostPath = hostPathOf(draft, to);
  const source = old.path === undefined ? undefined : openOnDisk(draft, found, old.path);
  const pieces: readonly Piece[] =
    source === undefined ? storedPieces(draft, found.value, old.chunks) : [{ at: 0, content: source }];
  const file: NewFile = { path: to, hostPath, size: Number(size), mode, uid, gid, pieces };
  assertNameIsFree(file);
  if (!draft.newFiles.some((other) => other.path === to)) draft.newFiles.push(file);
  draft.notes.add(
    `the contents of ${found.path} are written to ${hostPath}, which has to be there at the restart`,
  );
}

/** The link has to be there already, as the inode that was deleted; crimg makes none. */
function checkLink(draft: StreamDraft, found: DeletedFile, old: Substitute, to: string): void {
  const { value } = found;
  draft.notes.add(
    `${to} is looked for from the root of the file system that ${found.path} was on; crimg takes that for the root of the container`,
  );
  if (value.kind !== REGULAR) return;
  const source = openOnDisk(draft, found, to);
  try {
    const { ino } = fs.statSync(fsPath(source.path), { bigint: true });
    if (value.ino !== 0n && ino !== value.ino)
      throw new EditError(
        `it is inode ${ino}, and ${found.path} was inode ${value.ino}: not a link to the deleted file; copy:PATH takes any file`,
        { file: source.path },
      );
    const pieces = storedPieces(draft, value, old.chunks);
    if (old.path === undefined && !holdsSame(source.path, { size: Number(value.size), pieces }))
      throw new EditError(`it does not hold what the image has of ${found.path}`, { file: source.path });
  } finally {
    source.close();
  }
}

/** A substitute under the root. Errors: EDIT when it is not there, no file, or of another size. */
function openOnDisk(draft: StreamDraft, { value, path: name }: DeletedFile, substitute: string): FileSource {
  const root = draft.options.root ?? "/";
  const text = substitute.startsWith("/") ? substitute : `/${substitute}`;
  const onDisk = resolveInRoot(root, text);
  const stat = onDisk === undefined ? undefined : fs.statSync(fsPath(onDisk), { throwIfNoEntry: false });
  if (onDisk === undefined || stat === undefined)
    throw new EditError(`${text}, for the deleted file ${name}, is not there under ${root}`, {
      file: draft.image.name,
    });
  if (!stat.isFile()) throw new EditError("it is no regular file", { file: onDisk });
  if (BigInt(stat.size) !== value.size)
    throw new EditError(`it has ${stat.size} bytes, and ${name} had ${value.size} at the checkpoint`, {
      file: onDisk,
    });
  return new FileSource(onDisk);
}

/** Where a new file goes: its directory must be there, and links in it do not lead out of the root. */
function hostPathOf(draft: StreamDraft, to: string): string {
  const root = draft.options.root ?? "/";
  const directory = resolveInRoot(root, path.posix.dirname(to));
  if (directory === undefined || !fs.statSync(fsPath(directory)).isDirectory())
    throw new EditError(`there is no directory ${path.posix.dirname(to)} under ${root}`, {
      file: draft.image.name,
    });
  return path.join(directory, path.posix.basename(to));
}
