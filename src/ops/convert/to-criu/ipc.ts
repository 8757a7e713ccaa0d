import { IMAGES } from "../../../formats/criu/images.js";
import {
  IPC_MSG,
  IPC_MSG_ENTRY,
  IPC_SEM_ENTRY,
  IPC_SHM_ENTRY,
  IPC_VAR_ENTRY,
} from "../../../formats/criu/tables/ipc.js";
import { wordBytes } from "../../../io/words.js";
import {
  encodeLimits,
  encodeMessage,
  encodeQueue,
  encodeSegment,
  encodeSemaphores,
} from "../../../model/criu/ipc.js";
import type { IpcQueue, IpcSemaphores } from "../../../model/ipc.js";
import type { StreamIpcNamespace, StreamSegment } from "../../../model/linux-cr/ipc.js";
import type { ToCriu } from "./context.js";
import { PageRuns, writePages } from "./pages.js";

/** Payloads of System V objects are filled up to this many bytes. */
const ALIGN = 8;
const MAX_U16 = 0xffff;

/** The images of an IPC namespace: limits, segments, queues, semaphores. */
export function writeIpc(context: ToCriu, id: number, namespace: StreamIpcNamespace): void {
  const { set, losses } = context;
  const { limits, segments, queues, semaphores } = namespace;
  if (limits !== undefined) set.add(IMAGES.IPC_VAR, id, IPC_VAR_ENTRY, encodeLimits(limits));
  for (const kind of [IMAGES.IPCNS_SHM, IMAGES.IPCNS_MSG, IMAGES.IPCNS_SEM]) set.open(kind, id);
  for (const segment of segments) writeSegment(context, id, segment);
  for (const queue of queues) writeQueue(context, id, queue);
  for (const each of semaphores) writeSemaphores(context, id, each);
  for (const [word, objects] of [
    ["segment", segments],
    ["queue", queues],
    ["semaphores", semaphores],
  ] as const)
    for (const object of objects)
      if (object.hasHistory)
        losses.add(
          `System V ${word} ${object.id}`,
          "when and by whom it was used",
          "criu stores none of it, and a restore begins anew",
        );
}

function writeSegment(context: ToCriu, namespace: number, segment: StreamSegment): void {
  context.set.add(IMAGES.IPCNS_SHM, namespace, IPC_SHM_ENTRY, encodeSegment(segment));
  if (segment.noReserve === true)
    context.losses.add(
      `System V segment ${segment.id}`,
      "that no swap is reserved for it (SHM_NORESERVE)",
      "criu does not store it",
    );
  const pages = new PageRuns(context.reader);
  pages.add(segment.part, "indexes");
  writePages(context, IMAGES.SHMEM_PAGEMAP, segment.id >>> 0, pages);
}

function writeQueue({ set }: ToCriu, namespace: number, queue: IpcQueue): void {
  set.add(IMAGES.IPCNS_MSG, namespace, IPC_MSG_ENTRY, encodeQueue(queue));
  for (const message of queue.stored()) {
    const padding = Buffer.alloc((ALIGN - (message.size % ALIGN)) % ALIGN);
    set.add(IMAGES.IPCNS_MSG, namespace, IPC_MSG, encodeMessage(message), [...message.pieces, padding]);
  }
}

function writeSemaphores({ reader, set, losses }: ToCriu, namespace: number, each: IpcSemaphores): void {
  const { id, count, values, origin } = each;
  if (values.length < count)
    throw reader.image.error(
      origin.record,
      `invalid number of semaphores ${values.length} (expected ${count})`,
    );
  if (values.some((value) => value < 0 || value > MAX_U16))
    losses.add(`System V semaphores ${id}`, "values above 65535 or below 0", "criu stores 16 bits of each");
  const words = wordBytes(
    "u16",
    values.slice(0, count).map((value) => value & MAX_U16),
    "value of a semaphore",
  );
  const padded = Buffer.concat([words], Math.ceil(words.length / ALIGN) * ALIGN);
  set.add(IMAGES.IPCNS_SEM, namespace, IPC_SEM_ENTRY, encodeSemaphores(each), [padded]);
}
