import fs from "node:fs";
import path from "node:path";
import type { EditPlace } from "../../io/recover-in-place.js";

/** What the name of a stream's file ends with for its edit log, which stands beside it. */
export const STREAM_LOG_SUFFIX = ".crimg-log";

export function logOf(file: string): string {
  return file + STREAM_LOG_SUFFIX;
}

/** Where the set in a directory is edited in place. */
export function setPlace(directory: string): EditPlace {
  return { directory, lock: ".crimg-edit", members: undefined };
}

/** Where the stream in a file is edited in place, together with its log; other files beside it are no part of it. */
export function streamPlace(file: string): EditPlace {
  const { dir, base } = path.parse(file);
  return { directory: dir, lock: `.${base}.crimg-edit`, members: [base, path.basename(logOf(file))] };
}

/** Where an image that was found under a path is edited in place; undefined for what is no directory and no file. */
export function editPlaceOf(image: string, stat: fs.Stats): EditPlace | undefined {
  if (stat.isDirectory()) return setPlace(image);
  // A file without a name lies beside nothing.
  return stat.isFile() && stat.nlink > 0 ? streamPlace(fs.realpathSync(image)) : undefined;
}
