import type { Part } from "../../../formats/linux-cr/part.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { hex } from "../../../io/hex.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { vmasOf } from "./memory.js";
import { AGAIN } from "./record-rule.js";

/** Where the keys of saved pages must lie: addresses that are multiples of a page, or indexes. */
interface Keys {
  readonly part: Part;
  readonly start: bigint;
  /** Addresses end here; indexes where so many bytes end. */
  readonly end: bigint;
  readonly isIndex: boolean;
}

/** Rules about saved pages. Of page arrays the keys alone are read. */
export const pageRules: readonly Rule<StreamContext>[] = [
  {
    id: "PAGE_KEYS",
    level: "error",
    about: "Saved pages lie in their VMA or object, on pages, ascending and none twice.",
    fix: AGAIN,
    *check(context) {
      for (const keys of saved(context)) yield* wrongKeys(context, keys);
    },
  },
];

function* saved(context: StreamContext): Generator<Keys> {
  for (const mm of context.reader.objects("MM"))
    for (const [, { vma_type, vm_start, vm_end, ino_size }, part] of vmasOf(context, mm))
      yield vma_type === VMA_TYPE.sharedAnonymous
        ? { part, start: 0n, end: ino_size, isIndex: true }
        : { part, start: vm_start, end: vm_end, isIndex: false };
  for (const namespace of context.reader.objects("IPC_NS"))
    for (const list of namespace.parts)
      for (const part of list.parts) {
        const segment = context.valueAt(part.records[0], RECORDS.IPC_SHM);
        if (segment !== undefined) yield { part, start: 0n, end: segment.shm_segsz, isIndex: true };
      }
  for (const part of context.reader.objects("FILE")) {
    const memfd = context.reader.find(part, RECORDS.MEMFD);
    if (memfd !== undefined) yield { part, start: 0n, end: memfd.value.size, isIndex: true };
  }
}

function* wrongKeys(context: StreamContext, { part, start, end, isIndex }: Keys): Generator<Found> {
  const { stream } = context;
  const { wordBytes } = stream.dialect.arch;
  const isLittle = stream.byteOrder === "little-endian";
  let last = -1n;
  for (const { record, pages } of part.pageArrays) {
    const { offset, size } = stream.payload(record);
    const page = BigInt(size / pages - wordBytes);
    const bound = isIndex ? (end + page - 1n) / page : end;
    const list = stream.source.read(offset, pages * wordBytes);
    for (let i = 0; i < pages; i++) {
      const key = wordAt(list, i * wordBytes, wordBytes, isLittle);
      const what =
        key < start || key >= bound
          ? "a saved page outside of what it belongs to"
          : !isIndex && key % page !== 0n
            ? "the address of a saved page is none of a page"
            : key === last
              ? "a page that is saved twice"
              : key < last
                ? "saved pages do not ascend"
                : undefined;
      if (what !== undefined) {
        yield {
          at: context.at(record, { field: `[${i}]` }),
          what,
          expected: `${hex(start)} to ${hex(bound)}${last >= 0n ? `, above ${hex(last)}` : ""}`,
          found: hex(key),
        };
        // One finding for a list: what follows is mostly wrong in the same way.
        break;
      }
      last = key;
    }
  }
}

function wordAt(bytes: Buffer, offset: number, wordBytes: number, isLittle: boolean): bigint {
  if (wordBytes === 4) return BigInt(isLittle ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  return isLittle ? bytes.readBigUInt64LE(offset) : bytes.readBigUInt64BE(offset);
}
