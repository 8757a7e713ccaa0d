import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import type { OpenFileState } from "../descriptions.js";
import type { CheckpointContext } from "./context.js";

/** INOTIFY and its watches by their paths. */
export function writeInotify({ writer, watches }: CheckpointContext, file: OpenFileState): void {
  const all = watches.of(file);
  writer.record(RECORDS.INOTIFY, { nr_watches: all.length });
  for (const { wd, mask, ino, dev, path } of all)
    writer.record(RECORDS.INOTIFY_WATCH, { wd, mask, ino, dev }, textPayload(RECORDS.INOTIFY_WATCH, path));
}
