import { ConcatSource, type Piece } from "../../io/concat.js";
import { FormatError } from "../../io/errors.js";
import { MAX_STREAM_PIECES } from "../../io/limits.js";
import type { ByteSource } from "../../io/source.js";
import { reaches } from "../../io/unpacked-source.js";
import { decodeMessage } from "../../schema/decode.js";
import { message, optional, required, UNKNOWN, type Value } from "../../schema/message.js";

/** criu-image-streamer, proto/img.proto: each is preceded by its length, and followed by `file_data` bytes of the file. */
const MARKER = message("marker", "What follows in a shard", {
  seq: required(1, "uint64", { doc: "number over all shards" }),
  filename: optional(2, "string", { doc: "the file that the data behind it belongs to" }),
  file_data: optional(3, "uint32", { doc: "bytes of data that follow" }),
  file_eof: optional(4, "bool"),
  image_eof: optional(5, "bool"),
});

const LENGTH_BYTES = 4;
/** src/criu_connection.rs and util.rs: larger ones are refused. */
const MAX_MARKER_BYTES = 10 * 1024;

interface Marked extends Value<typeof MARKER> {
  /** Offset of the data behind it. */
  readonly data: number;
  readonly shard: ByteSource;
}

/** Whether a source begins with a marker, as a shard does: a number, one more field, and none that is unknown. */
export function isCriuStream(source: ByteSource): boolean {
  try {
    const first = markerAt(source, 0);
    const kinds = [first.filename, first.file_data, first.file_eof, first.image_eof];
    return kinds.filter((each) => each !== undefined).length === 1 && first[UNKNOWN] === undefined;
  } catch {
    return false;
  }
}

/**
 * The files of a stream in shards, merged by the numbers of their markers; the data stays where it is. Errors: FormatError
 * INVALID, TRUNCATED if the marker of the end is missing, or a shard.
 */
export function criuStreamFiles(shards: readonly ByteSource[], name: string): Map<string, ByteSource> {
  const markers = shards.flatMap((shard) => [...markersOf(shard)]).sort(bySequence);
  const pieces = new Map<string, Piece[]>();
  let file: string | undefined;
  for (const [at, { seq, filename, file_data: size, data, shard }] of markers.entries()) {
    if (seq !== (markers[0]?.seq ?? 0n) + BigInt(at))
      throw new FormatError("TRUNCATED", `the CRIU stream has no marker ${at} (a shard is missing)`, {
        file: name,
      });
    if (filename !== undefined) {
      file = filename;
      if (!pieces.has(file)) pieces.set(file, []);
    }
    if (size === undefined) continue;
    const known = file === undefined ? undefined : pieces.get(file);
    if (known === undefined)
      throw new FormatError("INVALID", "data of no file in a CRIU stream", {
        file: shard.name,
        offset: data,
      });
    known.push({ source: shard, offset: data, size });
  }
  if (markers.at(-1)?.image_eof !== true)
    throw new FormatError("TRUNCATED", "the CRIU stream has no end", { file: name });
  return new Map([...pieces].map(([path, parts]) => [path, new ConcatSource(`${name}//${path}`, parts)]));
}

function* markersOf(shard: ByteSource): Generator<Marked> {
  let count = 0;
  for (let at = 0; reaches(shard, at, at + 1); ) {
    const marker = markerAt(shard, at);
    if (++count > MAX_STREAM_PIECES)
      throw new FormatError("TOO_LARGE", `CRIU stream of more than ${MAX_STREAM_PIECES} markers`, {
        file: shard.name,
        offset: at,
      });
    at = marker.data + (marker.file_data ?? 0);
    if (at > shard.size)
      throw new FormatError("TRUNCATED", `truncated: data of ${marker.file_data} bytes`, {
        file: shard.name,
        offset: marker.data,
      });
    yield marker;
    if (marker.image_eof) return;
  }
}

function markerAt(shard: ByteSource, at: number): Marked {
  const length = shard.read(at, LENGTH_BYTES).readUInt32LE();
  if (length === 0 || length >= MAX_MARKER_BYTES)
    throw new FormatError(
      "INVALID",
      `invalid marker of ${length} bytes (expected 1 to ${MAX_MARKER_BYTES - 1})`,
      {
        file: shard.name,
        offset: at,
      },
    );
  const data = at + LENGTH_BYTES + length;
  const bytes = shard.read(at + LENGTH_BYTES, length);
  return { ...decodeMessage(MARKER, bytes, { file: shard.name, offset: at + LENGTH_BYTES }), data, shard };
}

function bySequence(a: Marked, b: Marked): number {
  return a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0;
}
