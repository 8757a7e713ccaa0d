/** Files whose names were gone: how a checkpoint keeps them, and how a restore makes them again without leaving a name. */

import type fs from "node:fs";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { textPayload } from "../../../formats/linux-cr/write.js";
import type { Piece } from "../../../io/concat.js";
import { PATH_MAX } from "../../../linux/files.js";
import { NSEC_PER_SEC } from "../../../linux/time.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import type { DescriptorSource } from "../files/file-data.js";
import { borrow, type OpenFileState } from "../files/open-files.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import type { DeletedInode } from "./substitutes.js";

/** FILE_UNLINKED.method. */
const METHOD = { relink: 1, contents: 2, copy: 3 } as const;
/** FILE_UNLINKED.flags: the substitute is removed once it has served; its path counts from the root directory. */
const REMOVE = 1;
const FROM_ROOT = 2;
/** UNLINKED_EXTRA.flags. */
const HAS_ATIME = 1;
const CONTENTS_ELSEWHERE = 2;
/** Bytes of contents in one BUFFER: a reader of other tools takes a record into memory. */
const CHUNK_BYTES = 1024 * 1024;

interface Chunk {
  readonly at: number;
  readonly data: Piece;
}

/** Where the contents of a deleted file come from; `open` is called for regular files alone. */
interface Contents {
  readonly open?: (() => DescriptorSource) | undefined;
  /** Where a symbolic link leads. */
  readonly target?: Buffer | undefined;
}

/**
 * FILE_UNLINKED of a file without a name: the name that keeps it, or its contents when no FILE of this inode has brought
 * them yet.
 */
export function writeUnlinked(
  context: CheckpointContext,
  objref: number,
  inode: DeletedInode,
  contents: Contents = {},
): void {
  const { writer } = context;
  const { stat } = inode;
  const { method, substitute } = context.substitutes.save(inode);
  const isHere = method === "contents" && !context.isKnown("INODE", inodeKey(stat));
  const chunks = isHere ? chunksOf(contents) : [];
  writer.record(RECORDS.FILE_UNLINKED, {
    file_objref: objref,
    method: METHOD[method],
    kind: kindOf(stat),
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.size,
    nr_chunks: chunks.length,
    flags: substitute === undefined ? 0 : REMOVE | FROM_ROOT,
    ino: stat.ino,
  });
  if (substitute !== undefined)
    writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, substitute));
  for (const { at, data } of chunks) {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(at));
    writer.buffer(head, data);
  }
}

/** UNLINKED_EXTRA: which FILEs are the same file, and which of them has the contents. */
export function writeUnlinkedExtra(context: CheckpointContext, objref: number, inode: DeletedInode): void {
  const { stat } = inode;
  const { objref: number, isNew } = context.hidden("INODE", inodeKey(stat));
  const { method } = context.substitutes.save(inode);
  context.writer.record(RECORDS.UNLINKED_EXTRA, {
    file_objref: objref,
    inode_objref: number,
    atime_sec: stat.atimeNs / NSEC_PER_SEC,
    atime_nsec: Number(stat.atimeNs % NSEC_PER_SEC),
    rdev: Number(stat.rdev),
    flags: HAS_ATIME | (isNew || method !== "contents" ? 0 : CONTENTS_ELSEWHERE),
  });
}

/** Where the symbolic link leads that a descriptor with O_PATH stands for. */
export function targetOf(file: OpenFileState): Buffer {
  const bytes = Buffer.alloc(PATH_MAX);
  const size = borrow(file, (fd) =>
    call("read a symbolic link", SYS.readlinkat, fd, Buffer.alloc(1), bytes, bytes.length),
  );
  return bytes.subarray(0, size);
}

function inodeKey({ dev, ino }: fs.BigIntStats): string {
  return `deleted ${dev}:${ino}`;
}

/** FILE_UNLINKED.kind. */
function kindOf(stat: fs.BigIntStats): number {
  if (stat.isDirectory()) return 2;
  if (stat.isFIFO()) return 3;
  if (stat.isSymbolicLink()) return 4;
  if (stat.isCharacterDevice()) return 5;
  return stat.isBlockDevice() ? 6 : 1;
}

function chunksOf({ open, target }: Contents): Chunk[] {
  if (target !== undefined) return [{ at: 0, data: target }];
  const source = open?.();
  return (source?.dataRanges() ?? []).flatMap(({ offset, size }) => {
    const chunks: Chunk[] = [];
    for (let done = 0; done < size; done += CHUNK_BYTES)
      chunks.push({
        at: offset + done,
        data: {
          source: source as DescriptorSource,
          offset: offset + done,
          size: Math.min(CHUNK_BYTES, size - done),
        },
      });
    return chunks;
  });
}
