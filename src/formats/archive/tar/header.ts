import { bytes, inners, struct, text, word } from "../../../schema/struct.js";

/** Members and their headers lie in whole blocks, tar(5). */
export const BLOCK_BYTES = 512;

/** Where the checksum is, which counts as blanks in its own sum. */
export const CHECKSUM = { offset: 148, size: 8 } as const;

/** ustar header of POSIX, tar(5); numbers are octal text, or base-256 where the first bit is set (GNU). */
export const TAR_HEADER = struct("posix_header", BLOCK_BYTES, "Header of a member", {
  name: text(0, 100),
  mode: bytes(100, 8),
  uid: bytes(108, 8),
  gid: bytes(116, 8),
  size: bytes(124, 12, { doc: "bytes of data that follow" }),
  mtime: bytes(136, 12, { doc: "seconds since 1970" }),
  chksum: bytes(CHECKSUM.offset, CHECKSUM.size),
  typeflag: word("u8", 156),
  linkname: text(157, 100),
  magic: bytes(257, 6, { doc: '"ustar" and NUL, or for GNU "ustar" and a blank; older ones have none' }),
  version: bytes(263, 2),
  uname: text(265, 32),
  gname: text(297, 32),
  devmajor: bytes(329, 8),
  devminor: bytes(337, 8),
  prefix: text(345, 155, { doc: "of POSIX: directory of the name; GNU has times and sparse parts here" }),
});

/** A part of a sparse member that has data. */
const SPARSE_PART = struct("sparse", 24, "Part of a sparse member", {
  offset: bytes(0, 12),
  numbytes: bytes(12, 12),
});

/** The same header of a sparse member of GNU tar, typeflag S. */
export const GNU_SPARSE_HEADER = struct("oldgnu_header", BLOCK_BYTES, "Header of a sparse member", {
  sparse: inners(SPARSE_PART, 386, 4),
  isextended: word("u8", 482, { doc: "1 if a block with further parts follows" }),
  realsize: bytes(483, 12),
});

/** A further block of parts. */
export const GNU_SPARSE_BLOCK = struct("sparse_header", BLOCK_BYTES, "Further parts of a sparse member", {
  sparse: inners(SPARSE_PART, 0, 21),
  isextended: word("u8", 504),
});

/** What a member is by its type flag, as a noun. */
export type MemberType =
  | "a regular file"
  | "a directory"
  | "a symbolic link"
  | "a hard link"
  | "a character device"
  | "a block device"
  | "a FIFO";

/** Type flags of members. Unknown ones are regular files, as POSIX asks. */
export const MEMBER_TYPES: Readonly<Record<string, MemberType>> = {
  "\0": "a regular file",
  "0": "a regular file",
  "7": "a regular file",
  S: "a regular file",
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a character device",
  "4": "a block device",
  "5": "a directory",
  D: "a directory",
  "6": "a FIFO",
};

/** Type flags of headers that tell of the member behind them, or of all. */
export const EXTENSIONS = { longName: "L", longLink: "K", pax: "x", globalPax: "g", volume: "V" } as const;

/** A part of a file that goes on in another archive: GNU multi-volume. */
export const CONTINUED = "M";
