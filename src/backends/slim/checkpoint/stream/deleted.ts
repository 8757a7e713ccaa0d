import type fs from "node:fs";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { DescriptorSource } from "../data-ranges.js";
import type { CheckpointContext } from "./context.js";

const CONTENTS = 2;
const KIND = { regular: 1, directory: 2, fifo: 3 };
const CONTENTS_ELSEWHERE = 2;
/** Bytes of contents in one BUFFER: a reader of other tools takes a record into memory. */
const CHUNK_BYTES = 1024 * 1024;

/** FILE_UNLINKED of a file without a name, and its contents when no FILE of this inode has brought them yet. */
export function writeUnlinked(
  context: CheckpointContext,
  objref: number,
  stat: fs.BigIntStats,
  source: DescriptorSource | undefined,
): void {
  const { writer } = context;
  const chunks = context.isKnown("INODE", inodeKey(stat)) ? [] : chunksOf(source);
  writer.record(RECORDS.FILE_UNLINKED, {
    file_objref: objref,
    method: CONTENTS,
    kind: stat.isDirectory() ? KIND.directory : stat.isFIFO() ? KIND.fifo : KIND.regular,
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: stat.size,
    nr_chunks: chunks.length,
    ino: stat.ino,
  });
  for (const { offset, size } of chunks) {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(offset));
    writer.buffer(head, { source: source as DescriptorSource, offset, size });
  }
}

/** UNLINKED_EXTRA: which FILEs are the same file, and which of them has the contents. */
export function writeUnlinkedExtra(context: CheckpointContext, objref: number, stat: fs.BigIntStats): void {
  const inode = context.hidden("INODE", inodeKey(stat));
  context.writer.record(RECORDS.UNLINKED_EXTRA, {
    file_objref: objref,
    inode_objref: inode.objref,
    flags: inode.isNew ? 0 : CONTENTS_ELSEWHERE,
  });
}

function inodeKey({ dev, ino }: fs.BigIntStats): string {
  return `deleted ${dev}:${ino}`;
}

function chunksOf(source: DescriptorSource | undefined): { offset: number; size: number }[] {
  return (source?.dataRanges() ?? []).flatMap(({ offset, size }) => {
    const chunks: { offset: number; size: number }[] = [];
    for (let done = 0; done < size; done += CHUNK_BYTES)
      chunks.push({ offset: offset + done, size: Math.min(CHUNK_BYTES, size - done) });
    return chunks;
  });
}
