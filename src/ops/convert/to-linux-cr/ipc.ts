import type { CriuImage } from "../../../formats/criu/image.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { IpcDescEntry, IpcMsg } from "../../../formats/criu/tables/ipc.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { PageRun } from "../../../formats/linux-cr/stream-writer.js";
import type { SourceRange } from "../../../io/concat.js";
import { MemorySource } from "../../../io/source.js";
import { PAGE_SIZE, SHM_HUGETLB } from "../../../linux/mman.js";
import type { Context } from "./context.js";
import { segmentPages } from "./pages.js";
import { rangeOf } from "./source-files.js";

/** IPC.ipc_type: the record id of the entries. */
const LIST = { shm: 502, msg: 503, sem: 505 } as const;
const NOT_LOCKED = 0xffff_ffff;
/** Where the size of huge pages stands in the flags of shmget(2), as a power of 2. */
const HUGE_SHIFT = 26;
const HUGE_MASK = 0x3f;
/** The kernel keeps a message in a first piece of this many bytes and further ones, each a page with its head. */
const FIRST_MESSAGE_BYTES = 4048;
const MORE_MESSAGE_BYTES = 4088;

/** The three lists behind IPC_NS. Segments get the number `context.hidden("INODE", "sysv ID")`, for their mappings. */
export function writeIpcLists(context: Context, nsId: number): void {
  writeSegments(context, nsId);
  writeQueues(context, nsId);
  writeSemaphores(context, nsId);
}

function permsOf(desc: IpcDescEntry): Readonly<Record<string, number>> {
  const { id, key, uid, gid, cuid, cgid, mode } = desc;
  return { id, key, uid, gid, cuid, cgid, mode };
}

function writeSegments(context: Context, nsId: number): void {
  const image = context.set.image(IMAGES.IPCNS_SHM, nsId);
  const segments = image?.records() ?? [];
  context.writer.record(RECORDS.IPC, { ipc_type: LIST.shm, ipc_count: segments.length });
  for (const { value: segment, payload } of segments) {
    const huge = segment.hugetlb_flag ?? 0;
    context.writer.record(RECORDS.IPC_SHM, {
      perms: permsOf(segment.desc),
      shm_segsz: segment.size,
      mlock_uid: NOT_LOCKED,
      flags: huge === 0 ? 0 : SHM_HUGETLB,
      objref: context.hidden("INODE", `sysv ${segment.desc.id}`).objref,
      shift: (huge >>> HUGE_SHIFT) & HUGE_MASK,
    });
    const data = rangeOf(image as CriuImage, payload[0]);
    const isApart = segment.in_pagemaps === true;
    context.writer.pages(
      isApart ? segmentPages(context, segment.desc.id, segment.size) : inlinePages(data),
      1n,
    );
  }
}

/** Contents behind the record: whole pages as a range, the last one filled up with zeros. */
function* inlinePages({ source, offset, size }: SourceRange): Generator<PageRun> {
  const whole = Math.floor(size / PAGE_SIZE);
  if (whole > 0) yield { key: 0n, pages: whole, from: { source, offset } };
  const rest = size - whole * PAGE_SIZE;
  if (rest === 0) return;
  const page = Buffer.alloc(PAGE_SIZE);
  source.read(offset + whole * PAGE_SIZE, rest).copy(page);
  yield { key: BigInt(whole), pages: 1, from: { source: new MemorySource(page, source.name), offset: 0 } };
}

function writeQueues(context: Context, nsId: number): void {
  const image = context.set.image(IMAGES.IPCNS_MSG, nsId);
  const queues = image?.records() ?? [];
  context.writer.record(RECORDS.IPC, { ipc_type: LIST.msg, ipc_count: queues.length });
  for (const { value: queue, payload } of queues) {
    const messages: [IpcMsg, SourceRange][] = [];
    for (const [i, { message }] of payload.entries())
      if (message !== undefined)
        messages.push([message.value as IpcMsg, rangeOf(image as CriuImage, payload[i + 1])]);
    context.writer.record(RECORDS.IPC_MSG, {
      perms: permsOf(queue.desc),
      q_cbytes: BigInt(messages.reduce((sum, [{ msize }]) => sum + msize, 0)),
      q_qnum: BigInt(messages.length),
      q_qbytes: BigInt(queue.qbytes),
    });
    for (const [{ mtype, msize }, data] of messages) {
      context.writer.record(RECORDS.IPC_MSG_MSG, { m_type: mtype, m_ts: msize });
      writePieces(context, data);
    }
  }
}

/** The bytes of a message as the kernel keeps them; one empty piece for an empty message. */
function writePieces(context: Context, { source, offset, size }: SourceRange): void {
  let done = Math.min(size, FIRST_MESSAGE_BYTES);
  context.writer.buffer({ source, offset, size: done });
  while (done < size) {
    const length = Math.min(size - done, MORE_MESSAGE_BYTES);
    context.writer.buffer({ source, offset: offset + done, size: length });
    done += length;
  }
}

function writeSemaphores(context: Context, nsId: number): void {
  const image = context.set.image(IMAGES.IPCNS_SEM, nsId);
  const sets = image?.records() ?? [];
  context.writer.record(RECORDS.IPC, { ipc_type: LIST.sem, ipc_count: sets.length });
  for (const { value: set, payload } of sets) {
    context.writer.record(RECORDS.IPC_SEM, { perms: permsOf(set.desc), sem_nsems: set.nsems });
    if (set.nsems === 0) continue;
    const { source, offset, size } = rangeOf(image as CriuImage, payload[0]);
    const stored = source.read(offset, size);
    // Per semaphore its value and the task that last changed it, which criu does not store.
    const values = Buffer.alloc(set.nsems * 8);
    for (let i = 0; i < set.nsems; i++) values.writeInt32LE(stored.readUInt16LE(i * 2), i * 8);
    context.writer.buffer(values);
  }
}
