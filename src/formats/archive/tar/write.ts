import { EditError, FormatError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { BLOCK_BYTES, CHECKSUM } from "./header.js";

/** Fields that are written, by their offset and size in TAR_HEADER. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  typeflag: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const;
const PRIVATE_MODE = 0o600;
const REGULAR_FILE = "0";

/** A header with another size and its checksum; numbers are written as they were, and no other byte changes. */
export function withSize(header: Buffer, size: number): Buffer {
  const block = Buffer.from(header);
  putNumber(field(block, "size"), size);
  return summed(block);
}

/**
 * The header of a new regular file that its owner alone may read, with owner and time of another member.
 * Errors: EDIT for a path that is too long for a header.
 */
export function newHeader(like: Buffer, path: string, size: number): Buffer {
  const block = Buffer.from(like);
  const isDotted = block.toString("latin1", 0, 2) === "./";
  const [prefix, name] = splitName(isDotted ? `./${path}` : path);
  put(field(block, "name"), name);
  put(field(block, "linkname"), Buffer.alloc(0));
  if (isPosix(block)) put(field(block, "prefix"), prefix);
  else if (prefix.length > 0) throw tooLong(path);
  field(block, "typeflag").write(REGULAR_FILE, "latin1");
  putNumber(field(block, "mode"), PRIVATE_MODE);
  putNumber(field(block, "size"), size);
  return summed(block);
}

/** A member of a new archive; a directory, or a link, has no content. */
export interface NewMember {
  readonly path: string;
  readonly type: "a regular file" | "a directory" | "a symbolic link";
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly target?: string | undefined;
}

const TYPE_FLAGS = { "a regular file": REGULAR_FILE, "a symbolic link": "2", "a directory": "5" } as const;

/** The ustar header of a member. Errors: EDIT for a path or target that is too long for a header. */
export function ustarHeader({ path, type, target = "", ...numbers }: NewMember): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const [prefix, name] = splitName(type === "a directory" ? `${path}/` : path);
  const link = textToBytes(target);
  if (link.length > FIELDS.linkname[1]) throw tooLong(target);
  put(field(block, "name"), name);
  put(field(block, "prefix"), prefix);
  put(field(block, "linkname"), link);
  field(block, "magic").write("ustar\x0000", "latin1");
  field(block, "typeflag").write(TYPE_FLAGS[type], "latin1");
  for (const key of ["mode", "uid", "gid", "size", "mtime"] as const)
    putNumber(field(block, key), numbers[key]);
  return summed(block);
}

/** The same records of an extended header, pax(1), with another `size`; undefined when they have none. */
export function withPaxSize(records: Buffer, size: number): Buffer | undefined {
  const out: Buffer[] = [];
  let isFound = false;
  for (let at = 0; at < records.length && records[at] !== 0; ) {
    const blank = records.indexOf(0x20, at);
    const end = at + Number(records.toString("latin1", at, blank));
    // The reader has checked the records.
    if (!(end > blank && end <= records.length)) throw new FormatError("INVALID", "invalid PAX record");
    const isSize = records.toString("latin1", blank + 1, blank + 6) === "size=";
    isFound ||= isSize;
    out.push(isSize ? paxRecord(`size=${size}`) : records.subarray(at, end));
    at = end;
  }
  return isFound ? Buffer.concat(out) : undefined;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(text: string): Buffer {
  for (let digits = 1; ; digits++) {
    const length = digits + 1 + text.length + 1;
    if (String(length).length === digits) return Buffer.from(`${length} ${text}\n`, "latin1");
  }
}

function field(block: Buffer, name: keyof typeof FIELDS): Buffer {
  const [offset, size] = FIELDS[name];
  return block.subarray(offset, offset + size);
}

function put(to: Buffer, bytes: Buffer): void {
  to.fill(0);
  bytes.copy(to);
}

function isPosix(block: Buffer): boolean {
  return block.toString("latin1", 257, 263) === "ustar\0";
}

/** With as many octal digits as before, or in base-256 as before; a number that needs more gets them. */
function putNumber(to: Buffer, value: number): void {
  const text = value.toString(8);
  const isBase256 = ((to[0] as number) & 0x80) !== 0;
  const [, lead = "", digits = ""] = /^([ \0]*)([0-7]*)/.exec(to.toString("latin1")) ?? [];
  if (!isBase256 && text.length <= digits.length)
    to.write(text.padStart(digits.length, "0"), lead.length, "latin1");
  else if (!isBase256 && text.length < to.length)
    to.write(`${text.padStart(to.length - 1, "0")}\0`, "latin1");
  else {
    let left = BigInt(value);
    for (let at = to.length - 1; at >= 0; at--, left >>= 8n) to[at] = Number(left & 0xffn);
    to[0] = (to[0] as number) | 0x80;
  }
}

function summed(block: Buffer): Buffer {
  const { offset, size } = CHECKSUM;
  let sum = 0x20 * size;
  for (const [at, byte] of block.entries()) if (at < offset || at >= offset + size) sum += byte;
  putNumber(block.subarray(offset, offset + size), sum);
  return block;
}

/** What goes into `prefix` and `name`. Errors: EDIT. */
function splitName(path: string): [prefix: Buffer, name: Buffer] {
  const bytes = textToBytes(path);
  if (bytes.length <= FIELDS.name[1]) return [Buffer.alloc(0), bytes];
  const cut = bytes.indexOf(0x2f, bytes.length - FIELDS.name[1] - 1);
  if (cut < 0 || cut > FIELDS.prefix[1]) throw tooLong(path);
  return [bytes.subarray(0, cut), bytes.subarray(cut + 1)];
}

function tooLong(path: string): EditError {
  return new EditError(`the path ${JSON.stringify(path)} is too long for the header of a tar member`);
}

/** Zeros behind data of that many bytes, up to a whole block. */
export function paddingBytes(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}
