import { FormatError } from "../../../io/errors.js";
import { MAX_TAR_EXTENSION_BYTES, MAX_TAR_HEADERS } from "../../../io/limits.js";
import type { ByteSource } from "../../../io/source.js";
import { bytesToText } from "../../../io/text.js";
import type { StructValue } from "../../../schema/struct.js";
import { readStruct } from "../../../schema/struct-reader.js";
import { BLOCK_BYTES, CHECKSUM, CONTINUED, EXTENSIONS, MEMBER_TYPES, TAR_HEADER } from "./header.js";
import type { TarMember } from "./member.js";
import { tarNumber } from "./numbers.js";
import { type PaxRecords, paxNumber, paxRecords } from "./pax.js";
import { gnuSparseMap, paxSparseMap, type SparseMap } from "./sparse.js";

/** Whether a source begins with the header of a tar member, by its checksum. */
export function isTar(source: ByteSource): boolean {
  if (source.size < BLOCK_BYTES) return false;
  const block = source.read(0, BLOCK_BYTES);
  return block[0] !== 0 && hasChecksum(block);
}

/** What headers before the one of a member told about it. */
interface Extended {
  readonly start: number;
  readonly path?: string | undefined;
  readonly target?: string | undefined;
  readonly pax: PaxRecords;
}

/**
 * The members of a tar archive, V7, ustar, GNU or PAX, in their order. Reads only headers and passes over the data.
 * Errors: FormatError INVALID for a damaged header, TRUNCATED without a block of zeros at the end, TOO_LARGE.
 */
export function* readTar(source: ByteSource): Generator<TarMember> {
  let globals: PaxRecords = new Map();
  let extended: Extended | undefined;
  let headers = 0;
  for (let at = 0; ; ) {
    if (++headers > MAX_TAR_HEADERS)
      throw new FormatError("TOO_LARGE", `tar archive of more than ${MAX_TAR_HEADERS} headers`, {
        file: source.name,
        offset: at,
      });
    const block = headerAt(source, at);
    if (block === undefined) {
      if (extended !== undefined) throw invalid("no member follows the header that extends it", source, at);
      return;
    }
    const header = readStruct(TAR_HEADER, block, "little-endian");
    const flag = String.fromCharCode(header.typeflag);
    const stored = tarNumber(header.size, "size", source.name, at);
    const end = at + BLOCK_BYTES;
    const { start = at, pax = globals } = extended ?? {};
    const extend = (more: Partial<Extended>): void => {
      extended = { ...extended, start, pax, ...more };
    };
    const text = (): string => bytesToText(untilNul(extensionAt(source, end, stored)));
    if (flag === EXTENSIONS.longName) extend({ path: text() });
    else if (flag === EXTENSIONS.longLink) extend({ target: text() });
    else if (flag === EXTENSIONS.pax)
      extend({ pax: new Map([...pax, ...paxRecords(extensionAt(source, end, stored), source.name, end)]) });
    else if (flag === EXTENSIONS.globalPax) {
      globals = new Map([...globals, ...paxRecords(extensionAt(source, end, stored), source.name, end)]);
    } else if (flag === CONTINUED)
      throw invalid("a part of a file that began in another archive (GNU multi-volume)", source, at);
    else if (flag !== EXTENSIONS.volume) {
      const member = memberOf(block, header, { source, at }, extended ?? { start, pax });
      assertThere(member, source, at);
      extended = undefined;
      yield member;
      at = member.data + padded(member.stored);
      continue;
    }
    at = end + padded(stored);
  }
}

function memberOf(
  block: Buffer,
  header: StructValue<typeof TAR_HEADER>,
  { source, at }: { readonly source: ByteSource; readonly at: number },
  { start, pax, ...told }: Extended,
): TarMember {
  const number = (name: "mode" | "uid" | "gid" | "size" | "mtime"): number =>
    tarNumber(header[name], name, source.name, at);
  const last = (key: string): Buffer | undefined => pax.get(key)?.at(-1);
  const inPax = (key: "uid" | "gid" | "size" | "mtime"): number => {
    const value = last(key);
    return value === undefined ? number(key) : paxNumber(value, key, source.name, at);
  };
  const end = at + BLOCK_BYTES;
  const flag = String.fromCharCode(header.typeflag);
  const { mapBytes, ...sparse } = sparseMap(block, flag, pax, { source, end }) ?? { mapBytes: 0 };
  const isPosix = header.magic.toString("latin1") === "ustar\0" && header.prefix !== "";
  const stored = isPosix ? `${header.prefix}/${header.name}` : header.name;
  const paxText = (...keys: string[]): string | undefined => {
    const value = keys.map(last).find((each) => each !== undefined);
    return value && bytesToText(value);
  };
  const path = paxText("GNU.sparse.name", "path") ?? told.path ?? stored;
  const type = MEMBER_TYPES[flag] ?? "a regular file";
  const isOldDirectory = type === "a regular file" && path.endsWith("/");
  const isLink = type === "a symbolic link" || type === "a hard link";
  const hasData = type === "a regular file" || flag === "D";
  // A link, device or FIFO has no data, whatever its size says; but a PAX hard link may have (pax(1), -o linkdata).
  const size = hasData || type === "a hard link" ? inPax("size") : 0;
  return {
    path: normalized(path),
    type: isOldDirectory ? "a directory" : type,
    size: "size" in sparse ? sparse.size : hasData ? size : 0,
    start,
    data: end + mapBytes,
    stored: Math.max(0, size - (flag === "S" ? 0 : mapBytes)),
    mode: number("mode"),
    uid: inPax("uid"),
    gid: inPax("gid"),
    mtime: mtimeOf(header.mtime, last("mtime")),
    target: isLink ? (paxText("linkpath") ?? told.target ?? header.linkname) : undefined,
    parts: "parts" in sparse ? sparse.parts : undefined,
  };
}

function sparseMap(
  block: Buffer,
  flag: string,
  pax: PaxRecords,
  place: { readonly source: ByteSource; readonly end: number },
): SparseMap | undefined {
  return flag === "S" ? gnuSparseMap(block, place) : paxSparseMap(pax, place);
}

/** Times before 1970 are negative; they are of no account here, and neither is a fraction of a second. */
function mtimeOf(field: Buffer, pax: Buffer | undefined): number {
  if (pax !== undefined) return Math.floor(Number(pax.toString("latin1"))) || 0;
  return (field[0] as number) & 0x80 ? 0 : Number.parseInt(field.toString("latin1").trim(), 8) || 0;
}

/** Without `.` and empty components; an absolute name stays one. */
function normalized(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}

/** The header at an offset; undefined for a block of zeros, which ends the archive. Errors: FormatError. */
function headerAt(source: ByteSource, at: number): Buffer | undefined {
  if (source.size <= at)
    throw new FormatError(
      "TRUNCATED",
      "truncated tar archive (expected a further member, or blocks of zeros)",
      {
        file: source.name,
        offset: at,
      },
    );
  const block = source.read(at, BLOCK_BYTES);
  if (hasChecksum(block)) return block;
  if (block.every((byte) => byte === 0)) return undefined;
  throw invalid("the header of a member has a wrong checksum", source, at);
}

/** The sum of all bytes, those of the sum as blanks; some old programs added them as signed. */
function hasChecksum(block: Buffer): boolean {
  const { offset, size } = CHECKSUM;
  const digits = /^[ \0]*([0-7]{1,8})/.exec(block.toString("latin1", offset, offset + size))?.[1];
  if (digits === undefined) return false;
  let unsigned = 0;
  let signed = 0;
  for (const [at, byte] of block.entries()) {
    const counted = at >= offset && at < offset + size ? 0x20 : byte;
    unsigned += counted;
    signed += counted > 127 ? counted - 256 : counted;
  }
  const sum = Number.parseInt(digits, 8);
  return sum === unsigned || sum === signed;
}

function extensionAt(source: ByteSource, at: number, size: number): Buffer {
  if (size > MAX_TAR_EXTENSION_BYTES)
    throw new FormatError(
      "TOO_LARGE",
      `header of ${size} bytes that extends a tar member (expected at most ${MAX_TAR_EXTENSION_BYTES})`,
      { file: source.name, offset: at },
    );
  return source.read(at, size);
}

function assertThere({ path, data, stored, parts }: TarMember, source: ByteSource, at: number): void {
  if (data + stored > source.size)
    throw new FormatError(
      "TRUNCATED",
      `truncated: the tar member ${JSON.stringify(path)} has ${stored} bytes, and ${source.size - data} are there`,
      { file: source.name, offset: at },
    );
  if (parts === undefined) return;
  const inParts = parts.reduce((sum, { size }) => sum + size, 0);
  if (inParts > stored)
    throw invalid(`the parts of a sparse member have ${inParts} bytes, its data ${stored}`, source, at);
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}

function invalid(why: string, { name }: ByteSource, offset: number): FormatError {
  return new FormatError("INVALID", `invalid tar archive: ${why}`, { file: name, offset });
}
