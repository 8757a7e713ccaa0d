import fs from "node:fs";
import path from "node:path";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { UNLINKED_FLAG, UNLINKED_KIND, UNLINKED_METHOD } from "../../../formats/linux-cr/tables/dialect.js";
import { UNLINKED_EXTRA_FLAG } from "../../../formats/linux-cr/tables/extensions-files.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import { EditError } from "../../../io/errors.js";
import { mountRoot } from "../../../io/mount-root.js";
import { PinnedDirectory } from "../../../io/pinned-directory.js";
import { fsPath, resolveInRoot } from "../../../io/rooted-path.js";
import { FileSource } from "../../../io/source.js";
import { textToBytes } from "../../../io/text.js";
import { S_IFIFO, S_IFMT, S_IFREG } from "../../../linux/files.js";
import type { DeletedEdit } from "../editor.js";
import { assertNameIsFree, holdsSame, type NewFile } from "../new-file.js";
import type { PathField } from "../objects.js";
import type { Edit } from "../plan.js";
import { chunksInStream, HEAD_BYTES, MAX_STORED_BYTES, storedPieces } from "./stored-contents.js";
import type { StreamRecords } from "./stream-records.js";
import { assertMayGive, assertMayRead } from "./substitute-rights.js";

const { remove: REMOVE, "relative to the root": FROM_ROOT } = UNLINKED_FLAG;
const { contentsEarlier: ELSEWHERE } = UNLINKED_EXTRA_FLAG;

/** What edits call the path in the chunk of a deleted symbolic link. */
export const SYMLINK_TARGET = "target";

type Unlinked = RecordValue<typeof RECORDS.FILE_UNLINKED>;

/** One FILE of a deleted file; several may have been opened under several names. */
interface UnlinkedFile {
  readonly part: Part;
  /** The FILE_UNLINKED. */
  readonly index: number;
  /** The UNLINKED_EXTRA, where there is one. */
  readonly extra: number | undefined;
}

/** A deleted file: its FILEs in the order of the stream, and what brings it back as the image is. */
interface DeletedFile {
  readonly edit: Edit;
  readonly path: string;
  readonly files: readonly UnlinkedFile[];
  /** The first FILE_UNLINKED. */
  readonly index: number;
  readonly value: Unlinked;
  /** Path of the substitute on disk; undefined for contents. */
  readonly substitute: string | undefined;
  /** BUFFERs with the contents. */
  readonly chunks: readonly number[];
}

/** Paths of links and copies that deleted files come back from, by their records, with the files' own names. */
export function substitutes(editor: StreamRecords): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { part } of unlinkedFiles(editor)) {
    const substitute = substituteOf(editor, part);
    const name = editor.reader.index(part, RECORDS.FILE_NAME);
    if (substitute !== undefined && name !== undefined) found.set(substitute, editor.text(name));
  }
  return found;
}

/** Where deleted symbolic links lead. */
export function* targets(editor: StreamRecords): Generator<PathField> {
  for (const { part, index } of unlinkedFiles(editor)) {
    const [chunk] = chunksOf(part);
    if (
      chunk === undefined ||
      editor.value(index, RECORDS.FILE_UNLINKED).kind !== UNLINKED_KIND["symbolic link"]
    )
      continue;
    const text = editor.payload(chunk).subarray(HEAD_BYTES).toString("utf8");
    yield { text, field: SYMLINK_TARGET, origin: editor.reader.origin(chunk) };
  }
}

/** Lets a deleted symbolic link lead elsewhere; `chunk` is its BUFFER. */
export function setTarget(editor: StreamRecords, edit: Edit, chunk: number, target: string): void {
  const old = editor.payload(chunk);
  const bytes = textToBytes(target);
  const shown = { before: old.subarray(HEAD_BYTES).toString("utf8"), after: target };
  editor.setPayload(edit, chunk, Buffer.concat([old.subarray(0, HEAD_BYTES), bytes]), SYMLINK_TARGET, shown);
  const { size } = editor.value(chunk - 1, RECORDS.FILE_UNLINKED);
  if (size === BigInt(old.length - HEAD_BYTES)) editor.change(edit, chunk - 1, "size", BigInt(bytes.length));
}

/**
 * Contents stand with the first FILE of a deleted file; when that is gone, the next one gets them.
 * Errors: EDIT when they have just been taken into the stream.
 */
export function passContentsOn(editor: StreamRecords, edit: Edit, gone: Part): void {
  const own = unlinkedFile(editor, gone);
  if (own === undefined || isElsewhere(editor, own)) return;
  const { method, nr_chunks } = editor.value(own.index, RECORDS.FILE_UNLINKED);
  const [next] = siblingsOf(editor, own).filter(({ part }) => !editor.isDropped(part.records[0] ?? 0));
  if (method !== UNLINKED_METHOD.contents || next === undefined) return;
  if (editor.isChanged(own.index))
    throw new EditError(
      "the contents of a deleted file were taken in for a descriptor that another edit drops; make that edit first, in a run of its own",
      editor.image.place(own.index),
    );
  for (const chunk of chunksOf(gone)) editor.handOver(chunk, next.index);
  editor.change(edit, next.index, "nr_chunks", nr_chunks);
  setElsewhere(editor, edit, next, false);
}

/** Changes how deleted files come back; their bytes go into the image or out of it. */
export function changeDeleted(editor: StreamRecords, edit: Edit, to: DeletedEdit): void {
  const done = new Set<number>();
  for (const part of editor.reader.objects("FILE")) {
    const [file = 0] = part.records;
    const name = editor.reader.index(part, RECORDS.FILE_NAME);
    if (editor.isDropped(file) || name === undefined || editor.text(name) !== to.path) continue;
    const own = unlinkedFile(editor, part);
    if (own === undefined) {
      const why = "not a deleted file: it was there under its name";
      editor.leave(edit, { image: editor.name, record: file, field: "", value: to.path, why });
    } else if (!done.has(own.index)) {
      const files = siblingsOf(editor, own);
      for (const { index } of files) done.add(index);
      change(editor, deletedFile(editor, edit, to.path, files), to);
    }
  }
}

function unlinkedFile({ reader }: StreamRecords, part: Part): UnlinkedFile | undefined {
  const index = reader.index(part, RECORDS.FILE_UNLINKED);
  return index === undefined ? undefined : { part, index, extra: reader.index(part, RECORDS.UNLINKED_EXTRA) };
}

/** Those that are still there, in the order of the stream. */
function unlinkedFiles(editor: StreamRecords): UnlinkedFile[] {
  const all = editor.once("deleted files", () =>
    [...editor.reader.objects("FILE")].flatMap((part) => unlinkedFile(editor, part) ?? []),
  );
  return all.filter(({ index }) => !editor.isDropped(index));
}

/** All FILEs of the deleted file that are still there, the given one among them. */
function siblingsOf(editor: StreamRecords, own: UnlinkedFile): UnlinkedFile[] {
  const inodeOf = ({ extra }: UnlinkedFile): number =>
    extra === undefined ? 0 : editor.value(extra, RECORDS.UNLINKED_EXTRA).inode_objref;
  const inode = inodeOf(own);
  return inode <= 0 ? [own] : unlinkedFiles(editor).filter((each) => inodeOf(each) === inode);
}

/** The BUFFERs with contents behind a FILE_UNLINKED. */
function chunksOf({ parts }: Part): number[] {
  return parts.filter(({ rule }) => rule === "chunk").flatMap(({ records }) => [...records]);
}

/** The record with the path of the link or the copy. */
function substituteOf({ reader }: StreamRecords, part: Part): number | undefined {
  return reader.index(part, RECORDS.FILE_NAME, 1);
}

function isElsewhere(editor: StreamRecords, { extra }: UnlinkedFile): boolean {
  return extra !== undefined && (editor.value(extra, RECORDS.UNLINKED_EXTRA).flags & ELSEWHERE) !== 0;
}

/** Says whether the contents stand here or with an earlier FILE. */
function setElsewhere(editor: StreamRecords, edit: Edit, { extra }: UnlinkedFile, elsewhere: boolean): void {
  if (extra === undefined) return;
  const { flags } = editor.value(extra, RECORDS.UNLINKED_EXTRA);
  editor.change(edit, extra, "flags", (elsewhere ? flags | ELSEWHERE : flags & ~ELSEWHERE) >>> 0);
}

function deletedFile(
  editor: StreamRecords,
  edit: Edit,
  name: string,
  files: readonly UnlinkedFile[],
): DeletedFile {
  const [{ index, part }] = files as [UnlinkedFile];
  const value = editor.value(index, RECORDS.FILE_UNLINKED);
  const isStored = value.method === UNLINKED_METHOD.contents;
  const record = isStored ? undefined : substituteOf(editor, part);
  const substitute = record === undefined ? undefined : editor.text(record);
  return { edit, path: name, files, index, value, substitute, chunks: isStored ? chunksOf(part) : [] };
}

/** Symbolic links and devices have no kind of their own; their mode tells. */
function isRegular({ kind, mode }: Unlinked): boolean {
  return kind === UNLINKED_KIND.regular && ((mode & S_IFMT) === S_IFREG || (mode & S_IFMT) === 0);
}

/** A fifo is made anew from its mode: it has no contents of its own. */
function isFifo({ kind, mode }: Unlinked): boolean {
  return kind === UNLINKED_KIND.fifo || (mode & S_IFMT) === S_IFIFO;
}

function change(editor: StreamRecords, found: DeletedFile, { method, to }: DeletedEdit): void {
  const { edit, index, value, files } = found;
  editor.matched(edit);
  if (value.method === UNLINKED_METHOD[method] && (method === "contents" || found.substitute === to)) return;
  const [first] = files;
  const isHeadless =
    first !== undefined && value.method === UNLINKED_METHOD.contents && isElsewhere(editor, first);
  if (isHeadless || files.some((each) => editor.isTouched(each.index)))
    throw new EditError(
      `another edit changes where the contents of ${found.path} are; make this one in a run of its own`,
      editor.image.place(index),
    );
  if (!isRegular(value) && (method === "copy" || (method === "contents" && !isFifo(value))))
    throw new EditError(
      `${found.path} is not a regular file and has no contents to move; relink:PATH names its link`,
      editor.image.place(index),
    );
  if (method === "contents") takeIn(editor, found);
  else {
    if (method === "copy") copyOut(editor, found, to);
    else checkLink(editor, found, to);
    for (const each of files) setSubstitute(editor, found, each, to);
  }
  for (const [i, each] of files.entries()) {
    editor.change(edit, each.index, "method", UNLINKED_METHOD[method]);
    const { flags } = editor.value(each.index, RECORDS.FILE_UNLINKED);
    // Whoever opens it last removes it.
    const isLast = method !== "contents" && i === files.length - 1;
    const others = method === "contents" ? flags & ~FROM_ROOT : flags | FROM_ROOT;
    editor.change(edit, each.index, "flags", (isLast ? others | REMOVE : others & ~REMOVE) >>> 0);
    setElsewhere(editor, edit, each, method === "contents" && i > 0);
  }
}

/** One path behind FILE_UNLINKED, in place of the chunks or of another path. */
function setSubstitute(
  editor: StreamRecords,
  { edit, value }: DeletedFile,
  own: UnlinkedFile,
  to: string,
): void {
  const record = value.method === UNLINKED_METHOD.contents ? undefined : substituteOf(editor, own.part);
  if (record !== undefined) {
    editor.setText(edit, record, to);
    return;
  }
  for (const chunk of chunksOf(own.part))
    editor.drop(edit, chunk, { BUFFER: `${editor.image.payload(chunk).size - HEAD_BYTES} bytes` });
  editor.insertBehind(edit, own.index, RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, to), {
    FILE_NAME: to,
  });
  editor.change(edit, own.index, "nr_chunks", 0);
}

/** The bytes of the substitute become BUFFERs of the image, with holes left out. */
function takeIn(editor: StreamRecords, found: DeletedFile): void {
  const { edit, index, value, substitute } = found;
  if (substitute === undefined)
    throw new EditError(`${found.path} has no substitute on disk`, editor.image.place(index));
  const chunks = isRegular(value) ? readChunks(editor, found, substitute) : [];
  for (const each of found.files) {
    const record = substituteOf(editor, each.part);
    if (record !== undefined) editor.drop(edit, record, { FILE_NAME: substitute });
  }
  for (const chunk of chunks)
    editor.insertBehind(edit, index, RECORDS.BUFFER, {}, chunk, {
      BUFFER: `${chunk.length - HEAD_BYTES} bytes`,
    });
  editor.change(edit, index, "nr_chunks", chunks.length);
  editor.notes.add(`${substitute} on disk is no longer needed by the stream; crimg leaves it there`);
}

function readChunks(editor: StreamRecords, found: DeletedFile, substitute: string): Buffer[] {
  const { content } = openOnDisk(editor, found, substitute, topOf(editor, found));
  try {
    if (content.size > MAX_STORED_BYTES)
      throw new EditError(
        `${substitute} has ${content.size} bytes; at most ${MAX_STORED_BYTES} of a deleted file are taken into a stream`,
        { file: content.name },
      );
    return [...chunksInStream(content, editor.image.byteOrder)];
  } finally {
    content.close();
  }
}

/** The contents are written to a new file when the edit is carried out. */
function copyOut(editor: StreamRecords, found: DeletedFile, to: string): void {
  const { mode, uid, gid, size } = found.value;
  const hostPath = hostPathOf(editor, to);
  assertMayGive(editor.document, found.value, editor.image.place(found.index));
  const pieces: NewFile["pieces"] =
    found.substitute === undefined
      ? storedPieces(editor, found.value, found.chunks)
      : [{ at: 0, content: openOnDisk(editor, found, found.substitute, topOf(editor, found)).content }];
  const file: NewFile = { path: to, hostPath, size: Number(size), mode, uid, gid, pieces };
  assertNameIsFree(file);
  if (editor.newFiles.some((other) => other.hostPath === hostPath))
    throw new EditError(`two deleted files cannot both be written to ${to}`);
  editor.newFiles.push(file);
  editor.notes.add(
    `the contents of ${found.path} are written to ${hostPath}, which has to be there at the restart`,
  );
}

/** The link has to be there already, as the inode that was deleted; crimg makes none. */
function checkLink(editor: StreamRecords, found: DeletedFile, to: string): void {
  const { value } = found;
  if (!isRegular(value)) return;
  const { content, ino } = openOnDisk(editor, found, to, "/");
  try {
    if (value.ino !== 0n && ino !== value.ino)
      throw new EditError(
        `it is inode ${ino}, and ${found.path} was inode ${value.ino}: not a link to the deleted file; copy:PATH takes any file`,
        { file: content.name },
      );
    const pieces = storedPieces(editor, value, found.chunks);
    if (found.substitute === undefined && !holdsSame(content, { size: Number(value.size), pieces }))
      throw new EditError(`it does not hold what the image has of ${found.path}`, { file: content.name });
  } finally {
    content.close();
  }
}

/** The directory that the path of a substitute counts from: the kernel's links stand in their own file system. */
function topOf({ options }: StreamRecords, { value, path: name }: DeletedFile): string {
  const isInMount = value.method === UNLINKED_METHOD.relink && (value.flags & FROM_ROOT) === 0;
  return isInMount ? mountRoot(options.root ?? "/", name) : "/";
}

/**
 * A substitute under the root, below its directory `top`, with its inode.
 * Errors: EDIT when it is not there, no file, of another size, or not to be read for the owner of the image.
 */
function openOnDisk(
  editor: StreamRecords,
  { value, path: name }: DeletedFile,
  substitute: string,
  top: string,
): { readonly content: FileSource; readonly ino: bigint } {
  const { root = "/" } = editor.options;
  const text = path.posix.join(top, substitute);
  const onDisk = resolveInRoot(fs.realpathSync(root), text);
  if (onDisk === undefined)
    throw new EditError(`${text}, for the deleted file ${name}, is not there under ${root}`, {
      file: editor.image.name,
    });
  if (!fs.statSync(fsPath(onDisk)).isFile()) throw new EditError("not a regular file", { file: onDisk });
  const directory = PinnedDirectory.openReal(path.dirname(onDisk));
  let fd: number | undefined;
  try {
    fd = directory.openFile(path.basename(onDisk));
    const stat = fs.fstatSync(fd, { bigint: true });
    if (stat.size !== value.size)
      throw new EditError(`it has ${stat.size} bytes, and ${name} had ${value.size} at the checkpoint`, {
        file: onDisk,
      });
    assertMayRead(editor.document, { root, imagePath: text, fd, name: onDisk });
    const content = new FileSource(`/proc/self/fd/${fd}`, onDisk);
    // It is opened by this, so that the descriptor is no longer needed.
    content.read(0, 0);
    return { content, ino: stat.ino };
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
    directory.close();
  }
}

/** Where a new file goes: its directory must be there, and links in it do not lead out of the root. */
function hostPathOf(editor: StreamRecords, to: string): string {
  const root = editor.options.root ?? "/";
  const directory = resolveInRoot(fs.realpathSync(root), path.posix.dirname(to));
  if (directory === undefined || !fs.statSync(fsPath(directory)).isDirectory())
    throw new EditError(`there is no directory ${path.posix.dirname(to)} under ${root}`, {
      file: editor.image.name,
    });
  return path.join(directory, path.posix.basename(to));
}
