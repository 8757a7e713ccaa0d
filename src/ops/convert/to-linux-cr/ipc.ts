import { IMAGES } from "../../../formats/criu/images.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { PageRun } from "../../../formats/linux-cr/stream-writer.js";
import type { SourceRange } from "../../../io/concat.js";
import { type ByteSource, checkRange } from "../../../io/source.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { decodeIpcNamespaces } from "../../../model/criu/ipc.js";
import type { IpcMessage } from "../../../model/ipc.js";
import {
  encodeLimits,
  encodeMessage,
  encodeQueue,
  encodeSegment,
  encodeSemaphores,
} from "../../../model/linux-cr/ipc.js";
import type { Context } from "./context.js";
import { segmentPages } from "./pages.js";

/** IPC.ipc_type: the record id of the entries. */
const LIST = { shm: 502, msg: 503, sem: 505 } as const;
/** The kernel keeps a message in a first piece of this many bytes and further ones, each a page with its head. */
const FIRST_MESSAGE_BYTES = 4048;
const MORE_MESSAGE_BYTES = 4088;

/**
 * IPC_NS with its three lists; 0 for a namespace whose limits are not in the set. Segments get the number
 * `context.hidden("INODE", "sysv ID")`, for their mappings.
 */
export function writeIpc(context: Context, id: number): number {
  if (context.set.image(IMAGES.IPC_VAR, id) === undefined) return 0;
  const namespace = decodeIpcNamespaces(context.set).find((each) => each.id === id);
  if (namespace?.limits === undefined) return 0;
  const { writer } = context;
  const { segments, queues, semaphores } = namespace;
  const limits = encodeLimits(namespace.limits);
  return context.ref("IPC_NS", id, () => {
    writer.record(RECORDS.IPC_NS, limits);
    writer.record(RECORDS.IPC, { ipc_type: LIST.shm, ipc_count: segments.length });
    for (const segment of segments) {
      const key = segment.id >>> 0;
      writer.record(RECORDS.IPC_SHM, encodeSegment(segment, context.hidden("INODE", `sysv ${key}`).objref));
      const { inline, size } = segment;
      writer.pages(inline === undefined ? segmentPages(context, key, size) : inlinePages(inline), 1n);
    }
    writer.record(RECORDS.IPC, { ipc_type: LIST.msg, ipc_count: queues.length });
    for (const queue of queues) {
      writer.record(RECORDS.IPC_MSG, encodeQueue(queue));
      for (const message of queue.stored()) writeMessage(context, message);
    }
    writer.record(RECORDS.IPC, { ipc_type: LIST.sem, ipc_count: semaphores.length });
    for (const each of semaphores) {
      const { fields, values } = encodeSemaphores(each);
      writer.record(RECORDS.IPC_SEM, fields);
      if (each.count > 0) writer.buffer(values);
    }
    writer.record(RECORDS.IPC_NS_EXTRA, limits);
  });
}

/** Contents behind the record: whole pages as a range, the last one filled up with zeros. */
function* inlinePages({ source, offset, size }: SourceRange): Generator<PageRun> {
  const whole = Math.floor(size / PAGE_SIZE);
  if (whole > 0) yield { key: 0n, pages: whole, from: { source, offset } };
  const rest = size - whole * PAGE_SIZE;
  if (rest === 0) return;
  const last = new LastPage({ source, offset: offset + whole * PAGE_SIZE, size: rest });
  yield { key: BigInt(whole), pages: 1, from: { source: last, offset: 0 } };
}

/** A page with less in it, filled up when it is read: a namespace may have 30,000 small segments. */
class LastPage implements ByteSource {
  readonly size = PAGE_SIZE;

  constructor(private readonly range: SourceRange) {}

  get name(): string {
    return this.range.source.name;
  }

  read(offset: number, size: number): Buffer {
    checkRange(this, offset, size);
    const page = Buffer.alloc(PAGE_SIZE);
    this.range.source.read(this.range.offset, this.range.size).copy(page);
    return page.subarray(offset, offset + size);
  }

  close(): void {}
}

/** The bytes of a message as the kernel keeps them; one empty piece for an empty message. */
function writeMessage({ writer }: Context, message: IpcMessage): void {
  writer.record(RECORDS.IPC_MSG_MSG, encodeMessage(message));
  for (const { source, offset, size } of message.pieces) {
    let done = Math.min(size, FIRST_MESSAGE_BYTES);
    writer.buffer({ source, offset, size: done });
    while (done < size) {
      const length = Math.min(size - done, MORE_MESSAGE_BYTES);
      writer.buffer({ source, offset: offset + done, size: length });
      done += length;
    }
  }
}
