import fs from "node:fs";
import path from "node:path";
import type { RecordValue } from "../../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { EditError } from "../../../../io/errors.js";
import { mountRoot } from "../../../../io/mount-root.js";
import { PinnedDirectory } from "../../../../io/pinned-directory.js";
import { fsPath, resolveInRoot } from "../../../../io/rooted-path.js";
import { FileSource } from "../../../../io/source.js";
import { S_IFIFO, S_IFMT, S_IFREG } from "../../../../linux/files.js";
import type { Parsed } from "../../kind.js";
import type { DeletedEdit } from "../../kinds/deleted.js";
import { assertNameIsFree, holdsSame, type NewFile } from "../../new-file.js";
import type { Edit } from "../../plan.js";
import { pathOf, streamFiles } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { chunksInStream, MAX_STORED_BYTES, type Piece, storedPieces } from "../stored-contents.js";
import { assertMayGive, assertMayRead } from "../substitute-rights.js";
import {
  chunksOf,
  isElsewhere,
  setElsewhere,
  siblingsOf,
  type UnlinkedFile,
  unlinkedOf,
  unlinkedValue,
} from "../unlinked.js";

/** FILE_UNLINKED.method and kind. */
const METHOD = { relink: 1, contents: 2, copy: 3 } as const;
const REGULAR = 1;
const FIFO = 3;
/** FILE_UNLINKED.flags: the substitute is removed once it is open; its path counts from the root of the container. */
const REMOVE = 1;
const FROM_ROOT = 2;

type Unlinked = RecordValue<typeof RECORDS.FILE_UNLINKED>;

/** A deleted file: the first FILE of it in the stream, and what brings it back as the image is. */
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

/** Changes how deleted files come back; their bytes go into the image or out of it. */
export function planDeleted(edits: readonly Parsed<DeletedEdit>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) {
    const done = new Set<number>();
    for (const file of streamFiles(draft)) {
      if (pathOf(draft, file) !== args.path) continue;
      const own = unlinkedOf(draft, file);
      if (own === undefined)
        draft.leave(edit, {
          image: draft.name,
          record: file.index,
          field: "",
          value: args.path,
          why: "not a deleted file: it was there under its name",
        });
      else if (!done.has(own.index)) {
        const files = siblingsOf(draft, own);
        for (const { index } of files) done.add(index);
        change(draft, deletedFile(draft, edit, args.path, files), args);
      }
    }
  }
}

function deletedFile(
  draft: StreamDraft,
  edit: Edit,
  name: string,
  files: readonly UnlinkedFile[],
): DeletedFile {
  const [first] = files as [UnlinkedFile];
  const value = unlinkedValue(draft, first);
  const record = value.method === METHOD.contents ? undefined : substituteRecord(draft, first);
  const substitute = record === undefined ? undefined : draft.text(record);
  const chunks = value.method === METHOD.contents ? chunksOf(first) : [];
  return { edit, path: name, files, index: first.index, value, substitute, chunks };
}

/** Symbolic links and devices have no kind of their own; their mode tells. */
function isRegular({ kind, mode }: Unlinked): boolean {
  return kind === REGULAR && ((mode & S_IFMT) === S_IFREG || (mode & S_IFMT) === 0);
}

/** A fifo is made anew from its mode: it has no contents of its own. */
function isFifo({ kind, mode }: Unlinked): boolean {
  return kind === FIFO || (mode & S_IFMT) === S_IFIFO;
}

function substituteRecord(draft: StreamDraft, { file }: UnlinkedFile): number | undefined {
  return draft.reader.index(file.part, RECORDS.FILE_NAME, 1);
}

function change(draft: StreamDraft, found: DeletedFile, { method, to }: DeletedEdit): void {
  const { edit, index, value, files } = found;
  draft.matched(edit);
  if (value.method === METHOD[method] && (method === "contents" || found.substitute === to)) return;
  const [first] = files;
  const isHeadless = first !== undefined && value.method === METHOD.contents && isElsewhere(draft, first);
  if (isHeadless || files.some((each) => draft.isTouched(each.index)))
    throw new EditError(
      `another edit changes where the contents of ${found.path} are; make this one in a run of its own`,
      draft.image.place(index),
    );
  if (!isRegular(value) && (method === "copy" || (method === "contents" && !isFifo(value))))
    throw new EditError(
      `${found.path} is no regular file, so it has no contents that could be moved; relink:PATH names its link`,
      draft.image.place(index),
    );
  if (method === "contents") takeIn(draft, found);
  else {
    if (method === "copy") copyOut(draft, found, to);
    else checkLink(draft, found, to);
    for (const each of files) setSubstitute(draft, found, each, to);
  }
  for (const [i, each] of files.entries()) {
    draft.change(edit, each.index, "method", METHOD[method]);
    const { flags } = unlinkedValue(draft, each);
    // Whoever opens it last removes it.
    const isLast = method !== "contents" && i === files.length - 1;
    const others = method === "contents" ? flags & ~FROM_ROOT : flags | FROM_ROOT;
    draft.change(edit, each.index, "flags", (isLast ? others | REMOVE : others & ~REMOVE) >>> 0);
    setElsewhere(draft, edit, each, method === "contents" && i > 0);
  }
}

/** One path behind FILE_UNLINKED, in place of the chunks or of another path. */
function setSubstitute(
  draft: StreamDraft,
  { edit, value }: DeletedFile,
  own: UnlinkedFile,
  to: string,
): void {
  const record = value.method === METHOD.contents ? undefined : substituteRecord(draft, own);
  if (record !== undefined) {
    draft.setText(edit, record, to);
    return;
  }
  for (const chunk of chunksOf(own))
    draft.drop(edit, chunk, { BUFFER: `${draft.image.payload(chunk).size - 8} bytes` });
  draft.insertBehind(edit, own.index, RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, to), {
    FILE_NAME: to,
  });
  draft.change(edit, own.index, "nr_chunks", 0);
}

/** The bytes of the substitute become BUFFERs of the image, with holes left out. */
function takeIn(draft: StreamDraft, found: DeletedFile): void {
  const { edit, index, value, substitute } = found;
  if (substitute === undefined)
    throw new EditError(`${found.path} has no substitute on disk`, draft.image.place(index));
  const chunks = isRegular(value) ? readChunks(draft, found, substitute) : [];
  for (const each of found.files) {
    const record = substituteRecord(draft, each);
    if (record !== undefined) draft.drop(edit, record, { FILE_NAME: substitute });
  }
  for (const chunk of chunks)
    draft.insertBehind(edit, index, RECORDS.BUFFER, {}, chunk, { BUFFER: `${chunk.length - 8} bytes` });
  draft.change(edit, index, "nr_chunks", chunks.length);
  draft.notes.add(`${substitute} on disk is no longer needed by the stream; crimg leaves it there`);
}

function readChunks(draft: StreamDraft, found: DeletedFile, substitute: string): Buffer[] {
  const { content } = openOnDisk(draft, found, substitute, topOf(draft, found));
  try {
    if (content.size > MAX_STORED_BYTES)
      throw new EditError(
        `${substitute} has ${content.size} bytes; at most ${MAX_STORED_BYTES} of a deleted file are taken into a stream`,
        { file: content.name },
      );
    return [...chunksInStream(content, draft.image.byteOrder)];
  } finally {
    content.close();
  }
}

/** The contents are written to a new file when the edit is carried out. */
function copyOut(draft: StreamDraft, found: DeletedFile, to: string): void {
  const { mode, uid, gid, size } = found.value;
  const hostPath = hostPathOf(draft, to);
  assertMayGive(draft.document, found.value, draft.image.place(found.index));
  const pieces: readonly Piece[] =
    found.substitute === undefined
      ? storedPieces(draft, found.value, found.chunks)
      : [{ at: 0, content: openOnDisk(draft, found, found.substitute, topOf(draft, found)).content }];
  const file: NewFile = { path: to, hostPath, size: Number(size), mode, uid, gid, pieces };
  assertNameIsFree(file);
  if (draft.newFiles.some((other) => other.hostPath === hostPath))
    throw new EditError(`two deleted files cannot both be written to ${to}`);
  draft.newFiles.push(file);
  draft.notes.add(
    `the contents of ${found.path} are written to ${hostPath}, which has to be there at the restart`,
  );
}

/** The link has to be there already, as the inode that was deleted; crimg makes none. */
function checkLink(draft: StreamDraft, found: DeletedFile, to: string): void {
  const { value } = found;
  if (!isRegular(value)) return;
  const { content, ino } = openOnDisk(draft, found, to, "/");
  try {
    if (value.ino !== 0n && ino !== value.ino)
      throw new EditError(
        `it is inode ${ino}, and ${found.path} was inode ${value.ino}: not a link to the deleted file; copy:PATH takes any file`,
        { file: content.name },
      );
    const pieces = storedPieces(draft, value, found.chunks);
    if (found.substitute === undefined && !holdsSame(content, { size: Number(value.size), pieces }))
      throw new EditError(`it does not hold what the image has of ${found.path}`, { file: content.name });
  } finally {
    content.close();
  }
}

/** The directory that the path of a substitute counts from: the kernel's links stand in their own file system. */
function topOf({ options }: StreamDraft, { value, path: name }: DeletedFile): string {
  const isInMount = value.method === METHOD.relink && (value.flags & FROM_ROOT) === 0;
  return isInMount ? mountRoot(options.root ?? "/", name) : "/";
}

/**
 * A substitute under the root, below its directory `top`, with its inode.
 * Errors: EDIT when it is not there, no file, of another size, or not to be read for the owner of the image.
 */
function openOnDisk(
  draft: StreamDraft,
  { value, path: name }: DeletedFile,
  substitute: string,
  top: string,
): { readonly content: FileSource; readonly ino: bigint } {
  const { root = "/" } = draft.options;
  const text = path.posix.join(top, substitute);
  const onDisk = resolveInRoot(fs.realpathSync(root), text);
  if (onDisk === undefined)
    throw new EditError(`${text}, for the deleted file ${name}, is not there under ${root}`, {
      file: draft.image.name,
    });
  if (!fs.statSync(fsPath(onDisk)).isFile()) throw new EditError("it is no regular file", { file: onDisk });
  const directory = PinnedDirectory.openReal(path.dirname(onDisk));
  let fd: number | undefined;
  try {
    fd = directory.openFile(path.basename(onDisk));
    const stat = fs.fstatSync(fd, { bigint: true });
    if (stat.size !== value.size)
      throw new EditError(`it has ${stat.size} bytes, and ${name} had ${value.size} at the checkpoint`, {
        file: onDisk,
      });
    assertMayRead(draft.document, { root, imagePath: text, fd, name: onDisk });
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
function hostPathOf(draft: StreamDraft, to: string): string {
  const root = draft.options.root ?? "/";
  const directory = resolveInRoot(fs.realpathSync(root), path.posix.dirname(to));
  if (directory === undefined || !fs.statSync(fsPath(directory)).isDirectory())
    throw new EditError(`there is no directory ${path.posix.dirname(to)} under ${root}`, {
      file: draft.image.name,
    });
  return path.join(directory, path.posix.basename(to));
}
