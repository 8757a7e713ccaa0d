import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { MentionSearch, type SearchedMemory } from "../mention-search.js";
import type { Mention } from "../plan.js";
import type { StreamDraft } from "./draft.js";
import { pidsOf } from "./tasks.js";

const PIECE = 4 * 1024 * 1024;
const SHARED_ANONYMOUS = 4;

/** Searches the saved pages for the texts that edits have replaced. Memory use stays at a window. */
export function scanStreamMemory(
  draft: StreamDraft,
  onProgress?: (done: number, total: number) => void,
): Mention[] {
  const search = new MentionSearch(draft);
  if (search.isEmpty) return [];
  let done = 0;
  for (const { part, isByIndex, memory } of memories(draft)) {
    let seenTo = -1n;
    for (const { address, bytes } of pieces(draft, part, isByIndex, search.overlap)) {
      search.look(memory, address, bytes, seenTo);
      seenTo = address + BigInt(bytes.length);
      done += bytes.length;
      onProgress?.(done, draft.image.source.size);
    }
  }
  return search.finish();
}

interface Memory {
  readonly part: Part;
  readonly isByIndex: boolean;
  readonly memory: SearchedMemory;
}

function* memories(draft: StreamDraft): Generator<Memory> {
  const { reader, name: image } = draft;
  const shared = (part: Part, shmid: number): Memory => ({
    part,
    isByIndex: true,
    memory: { image, pid: undefined, shmid },
  });
  for (const mm of reader.objects("MM")) {
    const [pid] = pidsOf(draft, "mm_objref", mm.objref ?? 0);
    for (const part of mm.parts) {
      const { vma_type, ino_objref } = reader.get(part, RECORDS.VMA).value;
      if (vma_type === SHARED_ANONYMOUS) yield shared(part, ino_objref);
      else yield { part, isByIndex: false, memory: { image, pid, shmid: undefined } };
    }
  }
  for (const ipc of reader.objects("IPC_NS"))
    for (const part of ipc.parts.flatMap((list) => list.parts.filter(({ rule }) => rule === "shm")))
      yield shared(part, reader.get(part, RECORDS.IPC_SHM).value.objref);
  for (const part of reader.objects("FILE")) {
    const memfd = reader.find(part, RECORDS.MEMFD)?.value;
    if (memfd !== undefined) yield shared(part, memfd.inode_objref);
  }
}

/** The bytes of saved pages; what follows in memory begins with the last `overlap` bytes of what was before. */
function* pieces(
  draft: StreamDraft,
  part: Part,
  isByIndex: boolean,
  overlap: number,
): Generator<{ readonly address: bigint; readonly bytes: Buffer }> {
  let tail = Buffer.alloc(0);
  let end = -1n;
  for (const run of pageRuns(draft, part, isByIndex)) {
    const size = run.pages * run.pageSize;
    for (let at = 0; at < size; at += PIECE) {
      const bytes = draft.image.source.read(run.offset + at, Math.min(PIECE, size - at));
      const start = startOf(run, isByIndex) + BigInt(at);
      const joined = start === end ? Buffer.concat([tail, bytes]) : bytes;
      yield { address: start - BigInt(joined.length - bytes.length), bytes: joined };
      tail = Buffer.from(joined.subarray(Math.max(0, joined.length - overlap)));
      end = start + BigInt(bytes.length);
    }
  }
}

/** From the start of shared memory, or of the address space. */
function startOf({ key, pageSize }: PageRun, isByIndex: boolean): bigint {
  return isByIndex ? key * BigInt(pageSize) : key;
}

/** A run of saved pages that follow one another in memory and in the image. */
interface PageRun {
  /** The BUFFER. */
  readonly record: number;
  /** Address, or page index in shared memory. */
  readonly key: bigint;
  readonly pages: number;
  readonly pageSize: number;
  /** Of the first page's contents in the image, in bytes. */
  readonly offset: number;
}

/** The saved pages of a part, such as a mapping; `isByIndex`: keys are page indexes. Only the keys are read. */
function* pageRuns({ image }: StreamDraft, part: Part, isByIndex: boolean): Generator<PageRun> {
  const { wordBytes } = image.dialect.arch;
  for (const { record, pages } of part.pageArrays) {
    const payload = image.payload(record);
    const pageSize = payload.size / pages - wordBytes;
    const keys = image.source.read(payload.offset, pages * wordBytes);
    const contents = payload.offset + pages * wordBytes;
    const step = isByIndex ? 1n : BigInt(pageSize);
    const keyOf = (i: number): bigint => {
      const at = i * wordBytes;
      if (image.byteOrder === "little-endian")
        return wordBytes === 8 ? keys.readBigUInt64LE(at) : BigInt(keys.readUInt32LE(at));
      return wordBytes === 8 ? keys.readBigUInt64BE(at) : BigInt(keys.readUInt32BE(at));
    };
    for (let first = 0; first < pages; ) {
      const key = keyOf(first);
      let next = first + 1;
      while (next < pages && keyOf(next) === key + step * BigInt(next - first)) next++;
      yield { record, key, pages: next - first, pageSize, offset: contents + first * pageSize };
      first = next;
    }
  }
}
