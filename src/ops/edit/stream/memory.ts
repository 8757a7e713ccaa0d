import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamDraft } from "./draft.js";

/** A run of saved pages that follow one another in memory and in the image. */
export interface PageRun {
  /** The BUFFER. */
  readonly record: number;
  /** Address, or page index in shared memory. */
  readonly key: bigint;
  readonly pages: number;
  readonly pageSize: number;
  /** Of the first page's contents in the image, in bytes. */
  readonly offset: number;
}

/** vma_types whose pages are keyed by page index. */
const SHARED_ANONYMOUS = 4;

/** The saved pages of a part, such as a mapping; `isByIndex`: keys are page indexes. Only the keys are read. */
export function* pageRuns({ image }: StreamDraft, part: Part, isByIndex: boolean): Generator<PageRun> {
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

/** Bytes of a task's private memory where they are saved: at most as many as lie in one run of pages. */
export interface SavedBytes {
  readonly record: number;
  readonly offset: number;
  readonly size: number;
}

/** Where bytes of an address space stand in the image; undefined where no page is saved. */
export function locate(draft: StreamDraft, mm: Part, address: bigint, size: number): SavedBytes | undefined {
  for (const vma of mm.parts) {
    const { value } = draft.reader.get(vma, RECORDS.VMA);
    if (address < value.vm_start || address >= value.vm_end) continue;
    const isByIndex = value.vma_type === SHARED_ANONYMOUS;
    for (const { record, key, pages, pageSize, offset } of pageRuns(draft, vma, isByIndex)) {
      const start = isByIndex ? value.vm_start + (key - value.vm_pgoff) * BigInt(pageSize) : key;
      const end = start + BigInt(pages * pageSize);
      if (address < start || address >= end) continue;
      const room = Number(end - address);
      return { record, offset: offset + Number(address - start), size: Math.min(size, room) };
    }
    return undefined;
  }
  return undefined;
}
