import type { RegFileEntry } from "../../formats/criu/tables/regfile.js";
import { buildIdWords } from "../../formats/elf/build-id.js";
import type { ByteOrder } from "../../io/byte-order.js";
import { wordBytes } from "../../io/words.js";
import type { FileIdentity } from "../open-file.js";
import type { Origin } from "../origin.js";

/** What a restore compares, of the entry of a file. */
export function decodeIdentity(
  { size, mode, build_id }: RegFileEntry,
  origin: Origin,
): FileIdentity | undefined {
  if (size === undefined && mode === undefined && build_id.length === 0) return undefined;
  const buildId = build_id.length === 0 ? undefined : wordBytes("u32", build_id, "word of a build id");
  return { mode, size, buildId, inode: undefined, mtime: undefined, origin };
}

/** The fields of the entry; criu compares neither inode nor time. */
export function encodeIdentity(
  { mode, size, buildId }: FileIdentity,
  byteOrder: ByteOrder,
): Pick<Partial<RegFileEntry>, "mode" | "size" | "build_id"> {
  return {
    ...(size === undefined ? {} : { size }),
    ...(mode === undefined ? {} : { mode }),
    ...(buildId === undefined ? {} : { build_id: buildIdWords(buildId, byteOrder) }),
  };
}
