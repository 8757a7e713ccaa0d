import { withHoles } from "../../io/concat.js";
import { chunksOf } from "../../io/digest.js";
import { FormatError, NotFoundError, UsageError } from "../../io/errors.js";
import { hex } from "../../io/hex.js";
import { SliceSource } from "../../io/slice-source.js";
import type { Checkpoint } from "../../model/checkpoint.js";
import type { StoredMemory, StoredPages } from "../../model/memory.js";
import { segmentUses } from "../../model/segment-uses.js";
import type { FilePiece, Ghost, StoredContents } from "../../model/stored-bytes.js";
import { storedContents } from "../../model/stored-contents.js";

const DESCRIPTOR = /^(\d{1,10}):(\d{1,10})$/;
/** What `show fds` prints behind the name of a deleted file. */
const DELETED = / \(deleted\)$/;

/** Something that an image stores and that can be written to a file of its own. */
export interface Extractable {
  readonly kind: StoredContents["kind"] | "shared memory";
  /** As `show` and `memory` print it. */
  readonly name: string;
  /** Of messages that have bounds: which one, from 0. */
  readonly message?: number | undefined;
  /** In bytes, with holes; shared memory up to the last page that is stored. */
  size(): bigint;
  /** In order; a number of zeros for a hole. Errors: FormatError. */
  contents(): Iterable<Buffer | { readonly zeros: number }>;
}

/** Which object is wanted. */
export interface WantedObject {
  /** Its name, or `PID:FD` of a descriptor that leads to it. */
  readonly object: string;
  readonly kind?: string | undefined;
  readonly message?: number | undefined;
}

/** All that can be extracted: queues, deleted files, file systems, System V segments, shared memory. Errors: FormatError. */
export function* extractables(checkpoint: Checkpoint): Generator<Extractable> {
  for (const stored of storedContents(checkpoint)) yield ofContents(stored);
  for (const stored of checkpoint.fileSystems()) yield ofContents(stored);
  const uses = segmentUses(checkpoint.tasks);
  for (const memory of checkpoint.storedMemory()) {
    const { segment } = memory;
    if (segment !== undefined) yield ofSegment(memory, uses.get(segment)?.[0]?.name || `segment ${segment}`);
  }
}

/**
 * The object with that name, its messages in order. Errors: NotFoundError for none; UsageError when several things have the
 * name: it lists their kinds.
 */
export function chooseExtractable(
  checkpoint: Checkpoint,
  { object, kind, message }: WantedObject,
): Extractable[] {
  const names = namesOf(checkpoint, object);
  const found = [...extractables(checkpoint)].filter(
    (each) =>
      names.has(each.name) &&
      (kind === undefined || each.kind === kind) &&
      (message === undefined || each.message === message),
  );
  if (found.length === 0)
    throw new NotFoundError(`no object ${JSON.stringify(object)} (crimg extract IMG lists all)`);
  const kinds = [...new Set(found.map((each) => each.kind))];
  if (kinds.length > 1)
    throw new UsageError(
      `several objects are called ${JSON.stringify(object)}; choose one with --kind: ${kinds.join(", ")}`,
    );
  if (found.length > 1 && found.some((each) => each.message === undefined))
    throw new UsageError(`${found.length} objects are called ${JSON.stringify(object)}; name one by PID:FD`);
  return found;
}

/** The names of an object: what was typed, of a descriptor what it leads to, and the first of a deleted file with several. */
function namesOf(checkpoint: Checkpoint, object: string): ReadonlySet<string> {
  const names = new Set([object, object.replace(DELETED, "")]);
  const [, pid, fd] = DESCRIPTOR.exec(object) ?? [];
  if (pid !== undefined) {
    const descriptor = checkpoint
      .task(Number(pid))
      ?.descriptors?.descriptors.find((each) => each.fd === Number(fd));
    for (const name of [descriptor?.file?.label, descriptor?.file?.path])
      if (name !== undefined) names.add(name);
  }
  for (const { path, ghost } of checkpoint.deletedFiles)
    if (path !== undefined && ghost !== undefined && names.has(path)) {
      const first = checkpoint.deletedFiles.find((other) => isSame(other.ghost, ghost));
      if (first?.path !== undefined) names.add(first.path);
    }
  return names;
}

function isSame(one: Ghost | undefined, other: Ghost): boolean {
  return one?.origin.image === other.origin.image && one.origin.record === other.origin.record;
}

function ofContents({ kind, name, message, size, pieces }: StoredContents): Extractable {
  return {
    ...{ kind, name, message },
    size: () => size ?? BigInt([...pieces()].reduce((sum, piece) => sum + piece.size, 0)),
    contents: () => filled(pieces(), size),
  };
}

function* filled(
  pieces: Iterable<FilePiece>,
  size: bigint | undefined,
): Generator<Buffer | { readonly zeros: number }> {
  for (const piece of withHoles(pieces, Number(size ?? 0)))
    if ("zeros" in piece) yield piece;
    else yield* chunksOf(new SliceSource(piece.source, piece.offset, piece.size, piece.source.name));
}

function ofSegment(memory: StoredMemory, name: string): Extractable {
  return {
    ...{ kind: "shared memory", name },
    size: () => {
      const pages = memory.pages();
      let end = 0n;
      for (const run of pages.runs()) end = run.address + BigInt(run.pages * pages.pageSize);
      return end;
    },
    contents: () => pagesInOrder(memory.pages(), name),
  };
}

function* pagesInOrder(pages: StoredPages, name: string): Generator<Buffer | { readonly zeros: number }> {
  let at = 0n;
  for (const piece of pages.pieces()) {
    const bytes = piece.pages * pages.pageSize;
    if (piece.address > at) yield { zeros: Number(piece.address - at) };
    if (piece.bytes !== undefined) yield piece.bytes;
    else if (piece.where === "zero") yield { zeros: bytes };
    else
      throw new FormatError(
        "MISSING",
        `memory of ${name} at offset ${hex(piece.address)} is not in the image`,
        { file: pages.image },
      );
    at = piece.address + BigInt(bytes);
  }
}
