import { rootChanges } from "../../formats/archive/contents.js";
import { MAX_LISTED_CHANGES } from "../../io/limits.js";
import type { Document } from "../../model/document.js";
import { NO_CONTAINER, packagedIn } from "./container.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface RootfsView extends ViewHead<"rootfs"> {
  readonly changes: readonly ShownRootChange[];
  /** Why it is empty, or not whole. */
  readonly note?: string | undefined;
}

/** A file of the root file system that differs from the image of the container. */
export interface ShownRootChange {
  /** Replaced: a directory of which nothing from the image is kept. */
  readonly change: "changed" | "deleted" | "replaced";
  readonly path: string;
  /** Of a changed or new file. */
  readonly type?: string | undefined;
  readonly size?: number | undefined;
  /** st_mode without the type, in octal. */
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly modified?: string | undefined;
  readonly target?: string | undefined;
}

/** Changed, new and deleted files of the root file system, as stored with the container. */
export function rootfsView(document: Document, _options: ShowOptions = {}): RootfsView {
  const packaged = packagedIn(document);
  if (packaged === undefined) return { ...viewHead("rootfs"), changes: [], note: NO_CONTAINER };
  const changes: ShownRootChange[] = [];
  for (const { change, path, member } of rootChanges(packaged.set)) {
    if (changes.length === MAX_LISTED_CHANGES)
      return { ...viewHead("rootfs"), changes, note: `only the first ${MAX_LISTED_CHANGES} are listed` };
    if (member === undefined) changes.push({ change, path });
    else {
      const { type, size, mode, uid, gid, mtime, target } = member;
      const modified = dateOf(mtime);
      changes.push({
        change,
        path,
        type,
        size,
        mode: `0${(mode & 0o7777).toString(8)}`,
        uid,
        gid,
        modified,
        target,
      });
    }
  }
  const note = changes.length > 0 ? undefined : "no changes of the root file system are stored";
  return { ...viewHead("rootfs"), changes, note };
}

/** The last times that a Date can hold are of the year 275760. */
function dateOf(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
