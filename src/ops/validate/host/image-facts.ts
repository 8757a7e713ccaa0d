import { fileNameOf, kindOfFileName } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { type ImageContext, SetContext } from "../context.js";
import type { Place } from "../finding.js";
import { restoresNamespace } from "../namespaces.js";
import { StreamContext } from "../stream/context.js";

/** Flags of checkpoint(2) in HEADER. */
const SUBTREE = 1n;
const NETNS = 2n;

/**
 * Whether restore makes a namespace of that kind. A stream of a subtree comes back in the namespaces of whoever restores
 * it, one of a whole container in its own.
 */
export function makesNamespace(image: ImageContext, kind: "pid" | "net" | "user" | "uts"): boolean {
  if (image instanceof SetContext) return restoresNamespace(image, kind);
  if (!(image instanceof StreamContext)) return false;
  const uflags = image.each(RECORDS.HEADER).next().value?.value.uflags ?? SUBTREE;
  if (kind === "net") return (uflags & NETNS) !== 0n;
  return kind === "pid" && (uflags & SUBTREE) === 0n;
}

/** Where a value of a task stands: in a set that field of its core image. */
export function placeInTask(image: ImageContext, pid: number, field: string): Place {
  if (image.family === "criu") return { image: fileNameOf(IMAGES.CORE, pid), record: 0, field, pid };
  return { ...image.checkpoint.task(pid)?.origin, pid };
}

/** Bytes of saved memory. */
export function pageBytes(image: ImageContext): number {
  if (image instanceof SetContext)
    return image.set.fileSet.names().reduce((sum, name) => {
      const isPages = kindOfFileName(name)?.kind === IMAGES.PAGES;
      return isPages ? sum + (image.set.fileSet.open(name)?.size ?? 0) : sum;
    }, 0);
  let bytes = 0;
  if (image instanceof StreamContext)
    for (const { index } of image.each(RECORDS.PGARR)) {
      const buffer = image.bufferAfter(index);
      if (buffer !== undefined) bytes += image.stream.payload(buffer).size;
    }
  return bytes;
}
