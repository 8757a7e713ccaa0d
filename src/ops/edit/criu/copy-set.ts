import fs from "node:fs";
import path from "node:path";
import { kindOfFileName } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { FileSharer, type Sharing } from "../../../io/share.js";
import type { ByteSource } from "../../../io/source.js";
import { modelFor, rebasedLink, writeSource } from "../../../io/write-file.js";

/** How the files of a new set came about, by name. */
export interface CopiedSet {
  readonly written: readonly string[];
  readonly shared: Readonly<Record<Sharing, readonly string[]>>;
  /** Not copied: directories, sockets and the like, which are no part of an image set. */
  readonly skipped: readonly string[];
}

/**
 * Fills the empty directory `to`, which will stand as `finalName`, with the files of `from`: changed ones written, the
 * others sharing their blocks where the file system can. Pages files, which crimg never writes into, may be hard links
 * where it cannot, unless `copy`. Symbolic links such as `parent` keep leading where they led.
 */
export function copySet(
  from: string,
  to: string,
  finalName: string,
  changed: ReadonlyMap<string, ByteSource | null>,
  options: { readonly copy: boolean },
): CopiedSet {
  const written: string[] = [];
  const skipped: string[] = [];
  const shared: Record<Sharing, string[]> = { reflink: [], "hard link": [], copy: [] };
  const sharer = new FileSharer();
  const home = fs.realpathSync(from);
  const target = path.join(fs.realpathSync(path.dirname(path.resolve(finalName))), path.basename(finalName));
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const { name } = entry;
    const [source, copy] = [path.join(from, name), path.join(to, name)];
    if (name.startsWith(".crimg-") || changed.has(name)) continue;
    if (entry.isSymbolicLink()) fs.symlinkSync(rebasedLink(fs.readlinkSync(source), home, target), copy);
    else if (entry.isFile()) {
      const hardLink = kindOfFileName(name)?.kind === IMAGES.PAGES;
      shared[sharer.share(source, copy, { hardLink, copy: options.copy })].push(name);
    } else skipped.push(name);
  }
  for (const [name, content] of changed) {
    if (content === null) continue;
    writeSource(path.join(to, name), content, { from: modelFor(from, name, changed.keys()), sync: false });
    written.push(name);
  }
  return { written, shared, skipped };
}
