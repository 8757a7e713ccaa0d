import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import { MAX_PIPED_IMAGE_BYTES } from "../../io/limits.js";
import { PipeSource } from "../../io/pipe-source.js";
import type { ByteSource } from "../../io/source.js";
import { ReadWindow } from "../../io/window.js";
import { RecordIndex } from "./record-index.js";
import { RECORDS, recordKinds } from "./records.js";
import { COMMITS } from "./revisions.js";

/** Every record begins with its id and its length, each a u32. */
export const HEADER_BYTES = 8;

/** Ids that are the same in all header sets. */
const PGARR = 403;
const BUFFER = 4;
const TAIL = 9001;
/** SOCKET_FRAG where it exists; its older namesake has another length. */
const FRAG = 704;
const FRAG_BYTES = 16;
const PGARR_BYTES = 16;
const TAIL_BYTES = RECORDS.TAIL.layouts[0].table.size;
/** Bytes of a page, the usual first. */
const PAGE_SIZES = [4096, 65536] as const;

/** How an image ends: with TAIL and perhaps more bytes, or before it should. */
export interface Ending {
  readonly kind: "tail" | "no tail" | "truncated" | "damaged";
  /** End of what could be read as records, in bytes. */
  readonly offset: number;
  /** Bytes behind that. */
  readonly rest: number;
  /** Why it is no whole image; undefined for one that ends with TAIL. */
  readonly error: FormatError | undefined;
}

export interface Scan {
  readonly byteOrder: ByteOrder;
  readonly index: RecordIndex;
  readonly ending: Ending;
}

/** The bytes that every linux-cr stream begins with, in both byte orders: HEADER with its length. */
const STARTS: Readonly<Record<ByteOrder, Buffer>> = {
  "little-endian": Buffer.from([1, 0, 0, 0, 72, 0, 0, 0]),
  "big-endian": Buffer.from([0, 0, 0, 1, 0, 0, 0, 72]),
};

/** The byte order of a linux-cr stream by its first 8 bytes; undefined for what is none. */
export function streamByteOrder(start: Buffer): ByteOrder | undefined {
  return (["little-endian", "big-endian"] as const).find((order) => start.equals(STARTS[order]));
}

/** Whether these bytes begin as a linux-cr stream does. */
export function isStream(source: ByteSource): boolean {
  const there = forward(source).reach(HEADER_BYTES) === HEADER_BYTES;
  return there && streamByteOrder(source.read(0, HEADER_BYTES)) !== undefined;
}

/** Reads forward only. `reach` gives how far the bytes go, up to `end`; `pass` the same of what nobody will look at. */
interface Forward {
  read(offset: number, size: number): Buffer;
  reach(end: number): number;
  pass(start: number, end: number): number;
}

function forward(source: ByteSource): Forward {
  if (source instanceof PipeSource) return source;
  const window = new ReadWindow(source);
  const reach = (end: number): number => Math.min(end, source.size);
  return { read: (offset, size) => window.read(offset, size), reach, pass: (_, end) => reach(end) };
}

/**
 * Walks the records of a stream once, strictly forward, without looking into them; a truncated or damaged image is
 * walked as far as it goes, and the ending says why it stops.
 * Errors: FormatError INVALID for what is no linux-cr stream.
 */
export function scanStream(source: ByteSource): Scan {
  const bytes = forward(source);
  const byteOrder =
    bytes.reach(HEADER_BYTES) < HEADER_BYTES ? undefined : streamByteOrder(bytes.read(0, HEADER_BYTES));
  if (byteOrder === undefined)
    throw new FormatError("INVALID", "this is no linux-cr stream: it does not begin with a HEADER record", {
      file: source.name,
      offset: 0,
    });
  return new Scanner(source, bytes, byteOrder).run();
}

class Scanner {
  readonly #index = new RecordIndex();
  readonly #u32: (buffer: Buffer, offset: number) => number;

  constructor(
    readonly source: ByteSource,
    readonly bytes: Forward,
    readonly byteOrder: ByteOrder,
  ) {
    this.#u32 =
      byteOrder === "little-endian"
        ? (b, offset) => b.readUInt32LE(offset)
        : (b, offset) => b.readUInt32BE(offset);
  }

  run(): Scan {
    return { byteOrder: this.byteOrder, index: this.#index, ending: this.#walk() };
  }

  #walk(): Ending {
    let at = 0;
    for (;;) {
      const there = this.bytes.reach(at + HEADER_BYTES) - at;
      if (there === 0) return this.#stop("no tail", at, 0, "the image ends without TAIL");
      if (there < HEADER_BYTES)
        return this.#stop(
          "truncated",
          at,
          there,
          `truncated: a record header has 8 bytes, ${there} are there`,
        );
      const head = this.bytes.read(at, HEADER_BYTES);
      const id = this.#u32(head, 0);
      const size = this.#u32(head, 4);
      if (size < HEADER_BYTES)
        return this.#stop(
          "damaged",
          at,
          this.#rest(at),
          `record id ${id} has a length of ${size}; 8 is the least`,
        );
      const got = this.#body(id, at, size);
      if (got < size)
        return this.#stop(
          "truncated",
          at,
          got,
          `truncated: record id ${id} has ${size} bytes, ${got} are there`,
        );
      this.#index.push(id, at, size);
      at += size;
      if (id === TAIL && size === TAIL_BYTES)
        return { kind: "tail", offset: at, rest: this.#rest(at), error: undefined };
      if (id === FRAG && size === FRAG_BYTES) {
        const page = this.#pageSize(at);
        const raw = this.bytes.reach(at + page) - at;
        if (raw < page)
          return this.#stop("truncated", at, raw, `truncated: a page has ${page} bytes, ${raw} are there`);
        this.#index.pushRawPage(page);
        at += page;
      }
    }
  }

  /** How many bytes of the record are there. Pages are passed by, their addresses are not. */
  #body(id: number, at: number, size: number): number {
    const last = this.#index.length - 1;
    if (id !== BUFFER || this.#index.id(last) !== PGARR || this.#index.size(last) !== PGARR_BYTES)
      return this.bytes.reach(at + size) - at;
    const pgarr = this.bytes.read(this.#index.offset(last), PGARR_BYTES);
    const isLittle = this.byteOrder === "little-endian";
    const pages = isLittle ? pgarr.readBigUInt64LE(8) : pgarr.readBigUInt64BE(8);
    const addresses = Math.min(size, HEADER_BYTES + 8 * Number(pages));
    if (this.bytes.reach(at + addresses) < at + addresses) return this.bytes.reach(at + addresses) - at;
    return this.bytes.pass(at + addresses, at + size) - at;
  }

  /** The image does not say it; what stands behind the page does. */
  #pageSize(at: number): number {
    return PAGE_SIZES.find((size) => this.#isRecord(at + size)) ?? PAGE_SIZES[0];
  }

  #isRecord(at: number): boolean {
    if (this.bytes.reach(at + HEADER_BYTES) < at + HEADER_BYTES) return false;
    const head = this.bytes.read(at, HEADER_BYTES);
    return KNOWN_IDS.has(this.#u32(head, 0)) && this.#u32(head, 4) >= HEADER_BYTES;
  }

  #rest(at: number): number {
    const limit = at + MAX_PIPED_IMAGE_BYTES;
    if (this.bytes instanceof PipeSource && this.bytes.reach(limit) === limit)
      throw new FormatError("TOO_LARGE", `more than ${MAX_PIPED_IMAGE_BYTES} bytes follow the image`, {
        file: this.source.name,
        offset: at,
      });
    return this.source.size - at;
  }

  #stop(kind: Ending["kind"], offset: number, rest: number, why: string): Ending {
    const path = `[${this.#index.length}]`;
    const code = kind === "damaged" ? "INVALID" : "TRUNCATED";
    return {
      kind,
      offset,
      rest,
      error: new FormatError(code, why, { file: this.source.name, offset, path }),
    };
  }
}

const KNOWN_IDS: ReadonlySet<number> = new Set(COMMITS.flatMap((commit) => [...recordKinds(commit).keys()]));
