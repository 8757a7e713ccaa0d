import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { PipeDataEntry } from "../../formats/criu/tables/pipe.js";
import type { PipeBuffer } from "../open-file.js";

/** The image of each kind of pipe. */
export const PIPE_IMAGES = { pipe: IMAGES.PIPES_DATA, fifo: IMAGES.FIFO_DATA } as const;

/** Bytes that stood in pipes and fifos. */
export function decodePipes(set: CriuImageSet): PipeBuffer[] {
  return (["pipe", "fifo"] as const).flatMap((kind) => {
    const source = set.image(PIPE_IMAGES[kind])?.source;
    return set.map(PIPE_IMAGES[kind], undefined, ({ index, value, payload }) => ({
      pipeId: value.pipe_id,
      kind,
      bytes: value.bytes,
      capacity: value.size,
      data: source === undefined ? [] : payload.map((range) => ({ source, ...range })),
      origin: { image: PIPE_IMAGES[kind].file, record: index },
    }));
  });
}

/** The entry of what stands in a pipe; its bytes follow. */
export function encodePipe({ data, capacity }: PipeBuffer, pipeId: number): PipeDataEntry {
  const bytes = data.reduce((sum, { size }) => sum + size, 0);
  return { pipe_id: pipeId, bytes, ...(capacity === undefined ? {} : { size: capacity }) };
}
