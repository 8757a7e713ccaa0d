import { compressed } from "../../io/compress.js";
import { decompressed } from "../../io/decompress.js";
import { UnsupportedError } from "../../io/errors.js";
import { SliceSource } from "../../io/slice-source.js";
import { type ByteSource, FileSource } from "../../io/source.js";
import { SpoolSource } from "../../io/spool.js";
import { type FileRange, UnpackedSource } from "../../io/unpacked-source.js";
import { lz4Frames, storedLz4Frame } from "./lz4-frame.js";
import { isTar } from "./tar/read.js";
import { zstdFrame, zstdFrames } from "./zstd.js";

/** How archives are compressed. */
export interface Codec {
  readonly name: "gzip" | "zstd" | "lz4" | "zlib";
  /** By the first bytes; a zlib stream has no magic, so it counts only where a tar archive comes out of it. */
  readonly matches: (source: ByteSource) => boolean;
  readonly chunks: (source: ByteSource) => Generator<Buffer>;
  /** Compresses, into one frame. Errors: those of the chunks; UNSUPPORTED where nothing here can. */
  readonly compress: (chunks: Iterable<Buffer>, name: string) => Generator<Buffer>;
}

/** The magic numbers: RFC 1952, RFC 8878, lz4_Frame_format.md, RFC 1950. */
export const CODECS: readonly Codec[] = [
  {
    name: "gzip",
    matches: (source) => beginsWith(source, 0x1f, 0x8b),
    chunks: (source) => decompressed(fileRange(source, 0, source.size), "gzip", source.name),
    compress: (chunks, name) => compressed(chunks, "gzip", name),
  },
  {
    name: "zstd",
    matches: (source) => zstdFrame(source) !== undefined,
    chunks: (source) => zstdFrames(source, fileRange(source, 0, source.size)),
    compress: (chunks, name) => compressed(chunks, "zstd", name),
  },
  {
    name: "lz4",
    matches: (source) => beginsWith(source, 0x04, 0x22, 0x4d, 0x18),
    chunks: lz4Frames,
    compress: storedLz4Frame,
  },
  {
    name: "zlib",
    matches: isZlib,
    chunks: zlibChunks,
    compress: (chunks, name) => compressed(chunks, "zlib", name),
  },
];

/** The codec of a source; undefined if it is not compressed. */
export function codecOf(source: ByteSource): Codec | undefined {
  return CODECS.find(({ matches }) => matches(source));
}

/** The decompressed bytes of a source, read at any offset. */
export function unpacked(source: ByteSource, codec: Codec): UnpackedSource {
  return new UnpackedSource(source.name, () => codec.chunks(source));
}

function beginsWith(source: ByteSource, ...bytes: readonly number[]): boolean {
  return source.size >= bytes.length && source.read(0, bytes.length).equals(Buffer.from(bytes));
}

function* zlibChunks(source: ByteSource): Generator<Buffer> {
  yield* decompressed(fileRange(source, 0, source.size), "zlib", source.name);
}

/** Method deflate with a window of at most 32 KiB, and the check bits; and what comes out is a tar archive. */
function isZlib(source: ByteSource): boolean {
  if (source.size < 2) return false;
  const head = source.read(0, 2);
  if ((head[0] as number) !== 0x78 || head.readUInt16BE() % 31 !== 0) return false;
  const inside = new UnpackedSource(source.name, () => zlibChunks(source));
  try {
    return isTar(inside);
  } catch {
    return false; // other data that begins alike
  } finally {
    inside.close();
  }
}

/** Where bytes of a source are in a file, for a reader in another thread. Errors: UNSUPPORTED where they are in no file. */
function fileRange(source: ByteSource, offset: number, size: number): FileRange {
  if (source instanceof FileSource || source instanceof SpoolSource)
    return { path: source.path, offset, size };
  if (source instanceof SliceSource) return fileRange(source.base, source.start + offset, size);
  if (source instanceof UnpackedSource) return source.wholeFile(offset, size);
  throw new UnsupportedError("compressed data in a sparse member of an archive", { file: source.name });
}
