import type { Stats } from "node:fs";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NSEC_PER_MSEC } from "../../../linux/time.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "../stream/context.js";
import type { RootContext } from "./context.js";
import { type OpenedFile, openedFiles } from "./opened-files.js";
import { isMissing } from "./tree.js";

const HAS_INODE = 2;
const HAS_MTIME = 8;

/** What the image remembers of a file beside size and mode. */
interface Identity {
  /** As stat(2) gives it. */
  readonly device: bigint;
  readonly inode: bigint | undefined;
  /** In milliseconds since 1970, which is what stat(2) gives exactly enough here. */
  readonly modified: bigint | undefined;
}

/** Rules about files that FILE_IDENTITY remembers, and that have become others since. */
export const modificationRules: readonly Rule<RootContext & { readonly image: StreamContext }>[] = [
  {
    id: "FILE_MODIFIED",
    level: "warning",
    about: "A file that the checkpoint remembers has not been written to since.",
    fix: "If the program expects the old contents, put the file of the checkpoint back; a log that others write too may change.",
    *check(context) {
      for (const [opened, { modified }, stat] of remembered(context)) {
        const now = modificationOf(stat);
        if (modified !== undefined && stat.isFile() && modified !== now)
          yield {
            at: opened.at,
            what: "the file has been written to since the checkpoint",
            expected: dateOf(modified),
            found: dateOf(now),
          };
      }
    },
  },
  {
    id: "FILE_REPLACED",
    level: "note",
    about:
      "A file is the one that it was, not another one under its name: an error on the file system of the checkpoint when its time is another, too, and no copy was put in its place.",
    fix: "Put the file of the checkpoint back; crimg edit --accept-file takes the one that is there. Nothing is to be done when the files were copied to this machine.",
    *check(context) {
      for (const [opened, { device, inode, modified }, stat] of remembered(context)) {
        if (inode === undefined || inode === BigInt(stat.ino)) continue;
        const isOther =
          stat.isFile() &&
          device === BigInt(stat.dev) &&
          modified !== undefined &&
          modified !== modificationOf(stat);
        yield {
          at: opened.at,
          what: "another file has the name now",
          expected: `inode ${inode}`,
          found: `inode ${stat.ino}`,
          ...(isOther && { level: "error" as const }),
        };
      }
    },
  },
];

function* remembered({
  image,
  tree,
}: RootContext & { readonly image: StreamContext }): Generator<[OpenedFile, Identity, Stats]> {
  const identities = image.share(identitiesByFile);
  for (const opened of image.share(openedFiles)) {
    const identity = identities.get(opened.file.id);
    const found = tree.find(opened.place, opened);
    if (identity !== undefined && !isMissing(found)) yield [opened, identity, found.stat];
  }
}

function identitiesByFile(image: StreamContext): ReadonlyMap<number, Identity> {
  const identities = new Map<number, Identity>();
  for (const { value } of image.each(RECORDS.FILE_IDENTITY)) {
    const { file_objref, flags, dev, ino, mtime_sec, mtime_nsec } = value;
    identities.set(file_objref, {
      device: dev,
      inode: (flags & HAS_INODE) === 0 ? undefined : ino,
      modified:
        (flags & HAS_MTIME) === 0 ? undefined : mtime_sec * 1000n + BigInt(mtime_nsec) / NSEC_PER_MSEC,
    });
  }
  return identities;
}

function modificationOf(stat: Stats): bigint {
  return BigInt(Math.floor(stat.mtimeMs));
}

function dateOf(milliseconds: bigint): string {
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? `${milliseconds} ms` : date.toISOString();
}
