import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImage } from "../../formats/criu/image.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type {
  IpcDescEntry,
  IpcMsg,
  IpcMsgEntry,
  IpcSemEntry,
  IpcShmEntry,
  IpcVarEntry,
} from "../../formats/criu/tables/ipc.js";
import type { UtsnsEntry } from "../../formats/criu/tables/ns.js";
import type { ByteOrder } from "../../io/byte-order.js";
import type { SourceRange } from "../../io/concat.js";
import { MAP_HUGE_SHIFT, SHM_HUGETLB } from "../../linux/mman.js";
import type {
  IpcLimits,
  IpcMessage,
  IpcNamespace,
  IpcObject,
  IpcQueue,
  IpcSegment,
  IpcSemaphores,
  UtsNamespace,
} from "../ipc.js";
import type { Origin } from "../origin.js";

const HUGE_MASK = 0x3f;
/** What Linux has where an image says nothing, see mq_overview(7). */
const DEFAULTS = {
  ...{ auto_msgmni: 0, shm_rmid_forced: 0, mq_queues_max: 256, mq_msg_max: 10, mq_msgsize_max: 8192 },
  ...{ mq_msg_default: 10, mq_msgsize_default: 8192 },
};

/** The UTS namespaces that were dumped. */
export function decodeUtsNamespaces(set: CriuImageSet): UtsNamespace[] {
  return set.ids(IMAGES.UTSNS).flatMap((id) => {
    const names = set.first(IMAGES.UTSNS, id);
    if (names === undefined) return [];
    const origin = { image: fileNameOf(IMAGES.UTSNS, id), record: 0 };
    return { id, hostName: names.nodename, domainName: names.domainname, origin };
  });
}

export function encodeUtsNamespace({ hostName, domainName }: UtsNamespace): UtsnsEntry {
  return { nodename: hostName, domainname: domainName };
}

/** The IPC namespaces that were dumped. */
export function decodeIpcNamespaces(set: CriuImageSet): IpcNamespace[] {
  const kinds = [IMAGES.IPC_VAR, IMAGES.IPCNS_SHM, IMAGES.IPCNS_MSG, IMAGES.IPCNS_SEM];
  const ids = [...new Set(kinds.flatMap((kind) => set.ids(kind)))].sort((a, b) => a - b);
  return ids.map((id) => {
    const stored = set.first(IMAGES.IPC_VAR, id);
    const { _unknown, ...record } = stored ?? ({} as Partial<IpcVarEntry>);
    return {
      ...{ id, record, limits: stored && decodeLimits(stored) },
      segments: decodeSegments(set, id),
      queues: decodeQueues(set, id),
      semaphores: decodeSemaphores(set, id),
    };
  });
}

function decodeLimits({
  _unknown,
  msg_next_id,
  sem_next_id,
  shm_next_id,
  ...stored
}: IpcVarEntry): IpcLimits {
  const nextId = (id = -1): number | undefined => ((id | 0) === -1 ? undefined : id);
  return {
    ...stored,
    msg_next_id: nextId(msg_next_id),
    sem_next_id: nextId(sem_next_id),
    shm_next_id: nextId(shm_next_id),
  };
}

/** criu leaves wishes for ids out where there are none: it cannot restore -1. */
export function encodeLimits({ sem_ctls, ...limits }: IpcLimits): IpcVarEntry {
  const stored = Object.entries(limits).filter(([, value]) => value !== undefined);
  const unsigned = stored.map(([name, value]) => [name, typeof value === "number" ? value >>> 0 : value]);
  return {
    ...DEFAULTS,
    ...(Object.fromEntries(unsigned) as Omit<IpcVarEntry, "sem_ctls">),
    sem_ctls: sem_ctls.map((limit) => limit >>> 0),
  };
}

function decodeSegments(set: CriuImageSet, namespace: number): IpcSegment[] {
  const image = set.image(IMAGES.IPCNS_SHM, namespace);
  const file = fileNameOf(IMAGES.IPCNS_SHM, namespace);
  return set.map(IMAGES.IPCNS_SHM, namespace, ({ index, value, payload: [data] }) => {
    const { desc, size, hugetlb_flag: huge = 0 } = value;
    return {
      ...decodeObject(desc, { image: file, record: index }),
      size,
      hugeShift: huge === 0 ? undefined : (huge >>> MAP_HUGE_SHIFT) & HUGE_MASK,
      noReserve: undefined,
      contents: data === undefined ? fileNameOf(IMAGES.SHMEM_PAGEMAP, desc.id) : file,
      inline: value.in_pagemaps === true ? undefined : rangeOf(image as CriuImage, data),
    };
  });
}

/** Its pages are in a pagemap of their own. */
export function encodeSegment(segment: IpcSegment): IpcShmEntry {
  const { size, hugeShift } = segment;
  const huge = hugeShift === undefined ? {} : { hugetlb_flag: SHM_HUGETLB | (hugeShift << MAP_HUGE_SHIFT) };
  return { desc: encodeObject(segment), size, in_pagemaps: true, ...huge };
}

function decodeQueues(set: CriuImageSet, namespace: number): IpcQueue[] {
  const image = set.image(IMAGES.IPCNS_MSG, namespace);
  const file = fileNameOf(IMAGES.IPCNS_MSG, namespace);
  return set.map(IMAGES.IPCNS_MSG, namespace, ({ index, value: { desc, qnum, qbytes }, payload }) => ({
    ...decodeObject(desc, { image: file, record: index }),
    messages: qnum,
    bytes: payload.reduce((sum, part) => sum + (part.message === undefined ? part.size : 0), 0),
    maxBytes: qbytes,
    *stored(): Generator<IpcMessage> {
      for (const [i, { message }] of payload.entries()) {
        if (message === undefined) continue;
        const { mtype, msize } = message.value as IpcMsg;
        const pieces = [rangeOf(image as CriuImage, payload[i + 1])];
        yield { type: BigInt.asIntN(64, mtype), size: msize, pieces };
      }
    },
  }));
}

export function encodeQueue(queue: IpcQueue): IpcMsgEntry {
  return { desc: encodeObject(queue), qbytes: queue.maxBytes, qnum: queue.messages };
}

export function encodeMessage({ type, size }: IpcMessage): IpcMsg {
  return { mtype: BigInt.asUintN(64, type), msize: size };
}

function decodeSemaphores(set: CriuImageSet, namespace: number): IpcSemaphores[] {
  const image = set.image(IMAGES.IPCNS_SEM, namespace);
  const file = fileNameOf(IMAGES.IPCNS_SEM, namespace);
  if (image === undefined) return [];
  const byteOrder = image.header?.byteOrder ?? "little-endian";
  return set.map(IMAGES.IPCNS_SEM, namespace, ({ index, value: { desc, nsems }, payload: [data] }) => ({
    ...decodeObject(desc, { image: file, record: index }),
    count: nsems,
    values: data === undefined ? [] : values16(image.source.read(data.offset, data.size), byteOrder),
  }));
}

/** Its values follow, 16 bits each. */
export function encodeSemaphores(semaphores: IpcSemaphores): IpcSemEntry {
  return { desc: encodeObject(semaphores), nsems: semaphores.count };
}

function values16(bytes: Buffer, byteOrder: ByteOrder): number[] {
  return Array.from({ length: bytes.length >> 1 }, (_, at) =>
    byteOrder === "little-endian" ? bytes.readUInt16LE(at * 2) : bytes.readUInt16BE(at * 2),
  );
}

function decodeObject({ id, key, uid, gid, cuid, cgid, mode }: IpcDescEntry, origin: Origin): IpcObject {
  return { id: id | 0, key, uid, gid, cuid, cgid, mode, hasHistory: false, origin };
}

function encodeObject({ id, key, uid, gid, cuid, cgid, mode }: IpcObject): IpcDescEntry {
  return { id: id >>> 0, key, uid, gid, cuid, cgid, mode };
}

function rangeOf({ source }: CriuImage, payload: { offset: number; size: number } | undefined): SourceRange {
  return { source, offset: payload?.offset ?? 0, size: payload?.size ?? 0 };
}
