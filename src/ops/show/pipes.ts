import { O_ACCMODE, O_RDWR, O_WRONLY } from "../../linux/open-flags.js";
import type { Document } from "../../model/document.js";
import type { OpenFile } from "../../model/open-file.js";
import { type Holder, heldBy, holdersOf } from "./holders.js";
import { chosenPids, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface PipesView extends ViewHead<"pipes"> {
  readonly pipes: readonly ShownPipe[];
}

export interface ShownPipe {
  readonly kind: "pipe" | "fifo";
  readonly id: number;
  /** Of a fifo. */
  readonly path?: string | undefined;
  /** Unread bytes, and the capacity if stored. */
  readonly bytes: number;
  readonly capacity?: number | undefined;
  /** If empty, no task of the set has that end open, so the other end gets end of file or EPIPE. */
  readonly readers: readonly Holder[];
  readonly writers: readonly Holder[];
}

/** Pipes and fifos with their contents and the holders of their ends. */
export function pipesView({ checkpoint }: Document, options: ShowOptions = {}): PipesView {
  const chosen = chosenPids(checkpoint, options);
  const holders = holdersOf(checkpoint);
  const buffers = new Map(checkpoint.pipes.map((buffer) => [`${buffer.kind} ${buffer.pipeId}`, buffer]));
  const ends = new Map<string, OpenFile[]>();
  for (const file of checkpoint.files.all) {
    if (file.pipeId === undefined) continue;
    const key = `${file.type.toLowerCase()} ${file.pipeId}`;
    const files = ends.get(key);
    if (files === undefined) ends.set(key, [file]);
    else files.push(file);
  }
  const pipes = [...ends].map(([key, files]): ShownPipe => {
    const [first] = files as [OpenFile, ...OpenFile[]];
    const buffer = buffers.get(key);
    const held = (may: (access: number) => boolean): Holder[] =>
      files.filter((file) => may((file.flags ?? 0) & O_ACCMODE)).flatMap(holders);
    return {
      kind: first.type === "FIFO" ? "fifo" : "pipe",
      id: first.pipeId as number,
      path: first.path,
      bytes: buffer?.bytes ?? 0,
      capacity: buffer?.capacity || undefined,
      readers: held((access) => access !== O_WRONLY),
      writers: held((access) => access === O_WRONLY || access === O_RDWR),
    };
  });
  return {
    ...viewHead("pipes"),
    pipes: pipes.filter(({ readers, writers }) => heldBy([...readers, ...writers], chosen)),
  };
}
