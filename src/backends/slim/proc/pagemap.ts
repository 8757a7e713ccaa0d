import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { EINVAL, ENOTTY } from "../../../linux/errno.js";
import { PAGE_SIZE, TASK_SIZE } from "../../../linux/mman.js";
import { SYS } from "../sys/abi-x64.js";
import { errnoName } from "../sys/kernel-error.js";
import { addressOf, attempt } from "../sys/syscall.js";

/** Pages [start, end) of an address space. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

/** linux/fs.h: the ioctl and the categories of pages. */
const PAGEMAP_SCAN = 0xc0606610;
const FILE = 4n;
const PRESENT = 8n;
const SWAPPED = 16n;
const PFNZERO = 32n;
const GUARD = 256n;

const ARG_BYTES = 96;
const REGION_BYTES = 24;
const REGIONS_AT_ONCE = 4096;

/** Bits of the upper half of an entry of /proc/PID/pagemap. */
const ENTRY_PRESENT = 0x8000_0000;
const ENTRY_SWAPPED = 0x4000_0000;
const ENTRY_FILE = 0x2000_0000;
const ENTRY_EXCLUSIVE = 0x0100_0000;
const ENTRIES_AT_ONCE = 65536;
/** Few enough that a lone page costs little, many enough that a large area takes few reads. */
const WINDOW_ENTRIES = 2048;

/** Categories that a page must have, must not have, and of which it must have one. */
interface Wanted {
  readonly all?: bigint;
  readonly none?: bigint;
  readonly any?: bigint;
}

/** The pagemap of a task, which tells which of its pages have contents of their own. */
export class Pagemap {
  /** Guard pages of madvise(2), ascending; none on kernels before 6.15, which do not tell them. */
  readonly guards: readonly PageRange[];
  readonly #file: number;
  /** What has no contents of its own: pages as the file behind them, pages of zeros never written, guard pages. */
  readonly #empty: bigint;
  #scans = true;
  /** Entries as halves of 64 bits, and the address that the first is of. */
  readonly #window = new Uint32Array(WINDOW_ENTRIES * 2);
  #windowStart = Number.POSITIVE_INFINITY;

  constructor(readonly pid: number) {
    try {
      this.#file = fs.openSync(`/proc/${pid}/pagemap`, "r");
    } catch (error) {
      throw new BackendError(`cannot read the pagemap of task ${pid}`, { cause: error });
    }
    const guards = this.#scan(0, TASK_SIZE, { all: GUARD });
    this.guards = guards ?? [];
    // A category that the kernel does not know may not even be excluded.
    this.#empty = FILE | PFNZERO | (guards === undefined ? 0n : GUARD);
  }

  close(): void {
    fs.closeSync(this.#file);
  }

  /** Pages of [start, end) with contents of their own, in memory or swapped out. Runs of neighbours, ascending. */
  ranges(start: number, end: number): PageRange[] {
    if (this.#scans) {
      const found = this.#scan(start, end, { none: this.#empty, any: PRESENT | SWAPPED });
      if (found !== undefined) return found;
      this.#scans = false;
    }
    return this.#walk(start, end);
  }

  /** Whether all pages of [start, end) are in memory and no other process has them. */
  isUnshared(start: number, end: number): boolean {
    for (let at = start; at < end; at += PAGE_SIZE)
      if ((this.#entryAt(at) & ENTRY_EXCLUSIVE) === 0) return false;
    return true;
  }

  /** The upper half of the entry of a page, read with those behind it. */
  #entryAt(address: number): number {
    let index = (address - this.#windowStart) / PAGE_SIZE;
    if (index < 0 || index >= WINDOW_ENTRIES) {
      fs.readSync(
        this.#file,
        new Uint8Array(this.#window.buffer),
        0,
        WINDOW_ENTRIES * 8,
        (address / PAGE_SIZE) * 8,
      );
      this.#windowStart = address;
      index = 0;
    }
    return this.#window[index * 2 + 1] as number;
  }

  /** Undefined on kernels without this ioctl, or without one of these categories. */
  #scan(start: number, end: number, { all = 0n, none = 0n, any = 0n }: Wanted): PageRange[] | undefined {
    const ranges: PageRange[] = [];
    const regions = Buffer.alloc(REGIONS_AT_ONCE * REGION_BYTES);
    for (let from = start; from < end; ) {
      const arg = Buffer.alloc(ARG_BYTES);
      arg.writeBigUInt64LE(BigInt(ARG_BYTES), 0);
      arg.writeBigUInt64LE(BigInt(from), 16);
      arg.writeBigUInt64LE(BigInt(end), 24);
      arg.writeBigUInt64LE(addressOf(regions), 40);
      arg.writeBigUInt64LE(BigInt(REGIONS_AT_ONCE), 48);
      // A category is wanted by its bit in the mask; an inverted one is wanted clear.
      arg.writeBigUInt64LE(none, 64);
      arg.writeBigUInt64LE(all | none, 72);
      arg.writeBigUInt64LE(any, 80);
      // Neighbours that differ in what is returned would be regions of their own.
      arg.writeBigUInt64LE(all | (any & PRESENT), 88);
      const count = attempt(SYS.ioctl, this.#file, PAGEMAP_SCAN, arg);
      if (count === -ENOTTY || count === -EINVAL) return undefined;
      if (count < 0)
        throw new BackendError(`cannot read the pagemap of task ${this.pid}: ${errnoName(-count)}`);
      for (let i = 0; i < count; i++)
        add(
          ranges,
          Number(regions.readBigUInt64LE(i * REGION_BYTES)),
          Number(regions.readBigUInt64LE(i * REGION_BYTES + 8)),
        );
      // Less than was asked for is all; the end of the walk that the kernel then tells may be that of a part of it.
      if (count < REGIONS_AT_ONCE) break;
      from = Math.max(ranges.at(-1)?.end ?? start, Number(arg.readBigUInt64LE(32)));
    }
    return ranges;
  }

  #walk(start: number, end: number): PageRange[] {
    const ranges: PageRange[] = [];
    const words = new Uint32Array(ENTRIES_AT_ONCE * 2);
    const bytes = new Uint8Array(words.buffer);
    for (let from = start; from < end; ) {
      const wanted = Math.min(((end - from) / PAGE_SIZE) * 8, bytes.length);
      const got = fs.readSync(this.#file, bytes, 0, wanted, (from / PAGE_SIZE) * 8) / 8;
      if (got === 0) break;
      for (let i = 0; i < got; i++) {
        const flags = words[i * 2 + 1] as number;
        const isThere = (flags & (ENTRY_PRESENT | ENTRY_SWAPPED)) !== 0;
        if (isThere && (flags & ENTRY_FILE) === 0)
          add(ranges, from + i * PAGE_SIZE, from + (i + 1) * PAGE_SIZE);
      }
      from += got * PAGE_SIZE;
    }
    return ranges;
  }
}

/** Guard pages of a task, ascending. Errors: BackendError. */
export function guardPages(pid: number): readonly PageRange[] {
  const pagemap = new Pagemap(pid);
  pagemap.close();
  return pagemap.guards;
}

function add(ranges: PageRange[], start: number, end: number): void {
  const last = ranges.at(-1);
  if (last?.end === start) ranges[ranges.length - 1] = { start: last.start, end };
  else ranges.push({ start, end });
}
