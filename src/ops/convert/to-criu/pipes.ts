import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { PIPE_DATA_ENTRY } from "../../../formats/criu/tables/pipe.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { addFile } from "./file-entry.js";
import { addNode } from "./regular-files.js";
import type { StreamFile } from "./stream-file.js";

export function pipe(file: StreamFile): void {
  const { context, id, value, owner } = file;
  const pipeId = context.id("PIPE", value.pipe_objref ?? 0);
  addFile(context, "PIPE", id, { pipe: { id, pipe_id: pipeId, flags: value.f_flags, fown: owner } });
  addData(file, IMAGES.PIPES_DATA, pipeId);
}

export function fifo(file: StreamFile): void {
  const { context, id, value } = file;
  const pipeId = context.id("PIPE", value.pipe_objref ?? 0);
  const node = addNode(file, context.newFileId());
  addFile(context, "FIFO", id, { fifo: { id, pipe_id: pipeId, regf_id: node } });
  addData(file, IMAGES.FIFO_DATA, pipeId);
}

/** The unread bytes, which stand behind the first end, and how much the pipe holds. */
function addData({ context, part }: StreamFile, kind: ImageKind, pipeId: number): void {
  const { reader, set } = context;
  const buffer = reader.index(part, RECORDS.PIPE_BUF);
  const range = buffer === undefined ? undefined : reader.image.payload(buffer);
  const capacity = reader.find(part, RECORDS.PIPE_STATE)?.value.capacity ?? 0;
  if (range === undefined || (range.size === 0 && capacity === 0)) return;
  set.add(
    kind,
    undefined,
    PIPE_DATA_ENTRY,
    { pipe_id: pipeId, bytes: range.size, ...(capacity === 0 ? {} : { size: capacity }) },
    [{ source: reader.image.source, ...range }],
  );
}
