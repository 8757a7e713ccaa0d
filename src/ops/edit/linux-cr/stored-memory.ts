import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { linuxCrCheckpoint } from "../../../model/linux-cr/checkpoint.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { pageSizeOf, SavedPages } from "../../../model/linux-cr/saved-pages.js";
import type { StoredMemory } from "../mention-search.js";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** The saved pages of mappings, shared segments and memfds; `image` is what they are called. */
export function storedMemory(
  reader: StreamReader,
  image: string,
): { readonly bytes: number; readonly all: Iterable<StoredMemory> } {
  return { bytes: reader.image.source.size, all: memoryOf(reader, image) };
}

function* memoryOf(reader: StreamReader, image: string): Generator<StoredMemory> {
  const shared = (part: Part, shmid: number): StoredMemory => ({
    ...{ image, pid: undefined, shmid },
    chunks: (overlap) => chunksOf(reader, part, "indexes", overlap),
  });
  const pids = pidsByMemory(reader);
  for (const mm of reader.objects("MM"))
    for (const part of mm.parts) {
      const { vma_type, ino_objref } = reader.get(part, RECORDS.VMA).value;
      if (vma_type === VMA_TYPE.sharedAnonymous) yield shared(part, ino_objref);
      else
        yield {
          ...{ image, pid: pids.get(mm.objref ?? 0), shmid: undefined },
          chunks: (overlap) => chunksOf(reader, part, "addresses", overlap),
        };
    }
  for (const ipc of reader.objects("IPC_NS"))
    for (const part of ipc.parts.flatMap((list) => list.parts.filter(({ rule }) => rule === "shm")))
      yield shared(part, reader.get(part, RECORDS.IPC_SHM).value.objref);
  for (const part of reader.objects("FILE")) {
    const memfd = reader.find(part, RECORDS.MEMFD)?.value;
    if (memfd !== undefined) yield shared(part, memfd.inode_objref);
  }
}

/** The first process with each address space. */
function pidsByMemory(reader: StreamReader): ReadonlyMap<number, number> {
  const pids = new Map<number, number>();
  for (const { pid, origin } of linuxCrCheckpoint(reader.image, reader).tasks) {
    const task = reader.taskAt(origin.record);
    const objref = task && reader.find(task, RECORDS.TASK_OBJS)?.value.mm_objref;
    if (objref !== undefined && !pids.has(objref)) pids.set(objref, pid);
  }
  return pids;
}

function* chunksOf(
  reader: StreamReader,
  part: Part,
  keys: "addresses" | "indexes",
  overlap: number,
): ReturnType<StoredMemory["chunks"]> {
  if (part.pageArrays.length === 0) return;
  const pageSize = pageSizeOf(reader);
  let tail = Buffer.alloc(0);
  let end = -1n;
  for (const { page, pages, offset } of new SavedPages(reader, part, keys).all()) {
    const size = pages * pageSize;
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      const bytes = reader.image.source.read(offset + at, Math.min(CHUNK_BYTES, size - at));
      const start = BigInt(page) * BigInt(pageSize) + BigInt(at);
      const joined = start === end ? Buffer.concat([tail, bytes]) : bytes;
      yield { address: start - BigInt(joined.length - bytes.length), bytes: joined };
      tail = Buffer.from(joined.subarray(Math.max(0, joined.length - overlap)));
      end = start + BigInt(bytes.length);
    }
  }
}
