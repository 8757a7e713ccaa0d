import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { FILE_TYPE } from "../../formats/linux-cr/tables/files.js";
import type { PipeBuffer } from "../open-file.js";
import type { StreamReader } from "./reader.js";

/** Unread bytes of pipes and fifos, and how much these hold. */
export function decodePipes(reader: StreamReader): PipeBuffer[] {
  const fields = (part: Part) => reader.get(part, RECORDS.FILE).value;
  const capacities = new Map<number | undefined, number>();
  const buffers: (readonly [part: Part, buffer: number])[] = [];
  for (const part of reader.objects("FILE")) {
    const state = reader.find(part, RECORDS.PIPE_STATE)?.value;
    if (state !== undefined) capacities.set(fields(part).pipe_objref, state.capacity);
    const buffer = reader.index(part, RECORDS.PIPE_BUF);
    if (buffer !== undefined) buffers.push([part, buffer]);
  }
  return buffers.map(([part, buffer]) => {
    const { f_type: type, pipe_objref: pipeId = 0 } = fields(part);
    const range = reader.image.payload(buffer);
    return {
      pipeId,
      kind: type === FILE_TYPE.fifo ? ("fifo" as const) : ("pipe" as const),
      bytes: range.size,
      capacity: capacities.get(pipeId),
      data: [{ source: reader.image.source, ...range }],
      origin: reader.origin(buffer),
    };
  });
}
