import type { ByteOrder } from "../../io/byte-order.js";
import { FormatError } from "../../io/errors.js";
import { MAX_PIPED_IMAGE_BYTES } from "../../io/limits.js";
import { PipeSource } from "../../io/pipe-source.js";
import type { ByteSource } from "../../io/source.js";
import { ReadWindow } from "../../io/window.js";
import { RecordIndex } from "./record-index.js";
import { RECORDS, recordKinds } from "./records.js";
import { COMMITS } from "./revisions.js";

/** Every record starts with its id and its length, a u32 each. */
export const HEADER_BYTES = 8;

/** Ids that are the same in all header sets. */
const PGARR = 403;
const BUFFER = 4;
const TAIL = 9001;
/** SOCKET_FRAG if it exists; an older record with that id has another length. */
const FRAG = 704;
const FRAG_BYTES = 16;
const PGARR_BYTES = 16;
const TAIL_BYTES = RECORDS.TAIL.layouts[0].table.size;
/** Page sizes, the most common first. */
const PAGE_SIZES = [4096, 65536] as const;

/** How an image ends: with TAIL and possibly more bytes, or early. */
export interface Ending {
  readonly kind: "tail" | "no tail" | "truncated" | "damaged";
  /** End offset of the readable records, in bytes. */
  readonly offset: number;
  /** Bytes after that. */
  readonly rest: number;
  /** Why the image is incomplete; undefined if it ends with TAIL. */
  readonly error: FormatError | undefined;
}

export interface Scan {
  readonly byteOrder: ByteOrder;
  readonly index: RecordIndex;
  readonly ending: Ending;
}

/** The first bytes of every linux-cr stream, in both byte orders: HEADER with its length. */
const STARTS: Readonly<Record<ByteOrder, Buffer>> = {
  "little-endian": Buffer.from([1, 0, 0, 0, 72, 0, 0, 0]),
  "big-endian": Buffer.from([0, 0, 0, 1, 0, 0, 0, 72]),
};

/** The byte order of a linux-cr stream by its first 8 bytes; undefined if it is not one. */
export function streamByteOrder(start: Buffer): ByteOrder | undefined {
  return (["little-endian", "big-endian"] as const).find((order) => start.equals(STARTS[order]));
}

/** Whether these bytes start like a linux-cr stream. */
export function isStream(source: ByteSource): boolean {
  const there = forward(source).reach(HEADER_BYTES) === HEADER_BYTES;
  return there && streamByteOrder(source.read(0, HEADER_BYTES)) !== undefined;
}

/** A forward reader. `reach` returns how far the bytes go, up to `end`; `pass` likewise for bytes to skip. */
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
 * Scans the records of a stream once, strictly forward, without decoding them; a truncated or damaged image is scanned as
 * far as possible, and the ending has the reason.
 * Errors: FormatError INVALID if it is not a linux-cr stream.
 */
export function scanStream(source: ByteSource): Scan {
  const bytes = forward(source);
  const byteOrder =
    bytes.reach(HEADER_BYTES) < HEADER_BYTES ? undefined : streamByteOrder(bytes.read(0, HEADER_BYTES));
  if (byteOrder === undefined)
    throw new FormatError("INVALID", "not a linux-cr stream (no HEADER record at the start)", {
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
          `truncated: found ${there} bytes of a record header (expected 8)`,
        );
      const head = this.bytes.read(at, HEADER_BYTES);
      const id = this.#u32(head, 0);
      const size = this.#u32(head, 4);
      if (size < HEADER_BYTES)
        return this.#stop(
          "damaged",
          at,
          this.#rest(at),
          `invalid length ${size} of a record with id ${id} (expected at least 8)`,
        );
      const got = this.#body(id, at, size);
      if (got < size)
        return this.#stop(
          "truncated",
          at,
          got,
          `truncated: found ${got} bytes of a record with id ${id} (expected ${size})`,
        );
      this.#index.push(id, at, size);
      at += size;
      if (id === TAIL && size === TAIL_BYTES)
        return { kind: "tail", offset: at, rest: this.#rest(at), error: undefined };
      if (id === FRAG && size === FRAG_BYTES) {
        const page = this.#pageSize(at);
        const raw = this.bytes.reach(at + page) - at;
        if (raw < page)
          return this.#stop(
            "truncated",
            at,
            raw,
            `truncated: found ${raw} bytes of a page (expected ${page})`,
          );
        this.#index.pushRawPage(page);
        at += page;
      }
    }
  }

  /** Available bytes of the record. Pages are skipped, but not their addresses. */
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

  /** Not stored in the image; determined by what follows the page. */
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
      throw new FormatError(
        "TOO_LARGE",
        `too many bytes after the image (expected at most ${MAX_PIPED_IMAGE_BYTES})`,
        {
          file: this.source.name,
          offset: at,
        },
      );
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
