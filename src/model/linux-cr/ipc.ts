import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { wordBytes } from "../../io/words.js";
import { SHM_NORESERVE } from "../../linux/ipc.js";
import { SHM_HUGETLB } from "../../linux/mman.js";
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
import type { StreamReader } from "./reader.js";

type Fields = Readonly<Record<string, unknown>>;

/** IPC_SHM.mlock_uid */
const NOT_LOCKED = 0xffff_ffff;
/** Fields of objects that no restore gives back. */
const HISTORY = [
  ...["shm_atim", "shm_dtim", "shm_ctim", "shm_cprid", "shm_lprid", "sem_otime", "sem_ctime"],
  ...["q_stime", "q_rtime", "q_ctime", "q_lspid", "q_lrpid"],
];

/** The UTS namespaces of a stream. */
export function decodeUtsNamespaces(reader: StreamReader): UtsNamespace[] {
  return [...reader.objects("UTS_NS")].map((part) => {
    const { index, value } = reader.get(part, RECORDS.UTS_NS);
    const { nodename, domainname } = value;
    const origin = reader.origin(index);
    return { id: part.objref ?? 0, hostName: nodename, domainName: domainname, origin };
  });
}

export function encodeUtsNamespace({ hostName, domainName }: UtsNamespace) {
  return { nodename: hostName, domainname: domainName };
}

/** A segment of a stream, with the part that has its pages and the hidden number of its inode. */
export interface StreamSegment extends IpcSegment {
  readonly part: Part;
  readonly objref: number;
}

/** An IPC namespace of a stream; its `id` is its objref. */
export interface StreamIpcNamespace extends IpcNamespace {
  readonly segments: readonly StreamSegment[];
}

/** The IPC namespaces of a stream. */
export function decodeIpcNamespaces(reader: StreamReader): StreamIpcNamespace[] {
  return [...reader.objects("IPC_NS")].map((part) => {
    const entries = part.parts.flatMap((list) => list.parts);
    const ofRule = (rule: Part["rule"]): Part[] => entries.filter((entry) => entry.rule === rule);
    const { value } = reader.get(part, RECORDS.IPC_NS);
    return {
      id: part.objref ?? 0,
      record: { ...value },
      limits: decodeLimits(value, reader.find(part, RECORDS.IPC_NS_EXTRA)?.value),
      segments: ofRule("shm").map((shm) => decodeSegment(reader, shm)),
      queues: ofRule("msg").map((queue) => decodeQueue(reader, queue)),
      semaphores: ofRule("sem").map((sem) => decodeSemaphores(reader, sem)),
    };
  });
}

function decodeLimits(
  { sem_ctl_msl, sem_ctl_mns, sem_ctl_opm, sem_ctl_mni, ...limits }: RecordValue<typeof RECORDS.IPC_NS>,
  extra: RecordValue<typeof RECORDS.IPC_NS_EXTRA> | undefined,
): IpcLimits {
  const sem_ctls = [sem_ctl_msl, sem_ctl_mns, sem_ctl_opm, sem_ctl_mni];
  if (extra === undefined) return { ...limits, sem_ctls };
  const nextId = (id: number): number | undefined => (id === -1 ? undefined : id);
  return {
    ...{ ...limits, sem_ctls, ...extra },
    // 0 where a set of a criu before 2.5 had no such field.
    mq_msg_default: extra.mq_msg_default || undefined,
    mq_msgsize_default: extra.mq_msgsize_default || undefined,
    msg_next_id: nextId(extra.msg_next_id),
    sem_next_id: nextId(extra.sem_next_id),
    shm_next_id: nextId(extra.shm_next_id),
  };
}

/** The fields of IPC_NS, and of the IPC_NS_EXTRA behind its lists. */
export function encodeLimits({ sem_ctls, ...limits }: IpcLimits): Fields {
  const [sem_ctl_msl, sem_ctl_mns, sem_ctl_opm, sem_ctl_mni] = sem_ctls;
  const stored = Object.entries({ ...limits, sem_ctl_msl, sem_ctl_mns, sem_ctl_opm, sem_ctl_mni })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === "number" ? value | 0 : value]);
  return { msg_next_id: -1, sem_next_id: -1, shm_next_id: -1, ...Object.fromEntries(stored) };
}

function decodeSegment(reader: StreamReader, part: Part): StreamSegment {
  const { index, value } = reader.get(part, RECORDS.IPC_SHM);
  const origin = reader.origin(index);
  return {
    ...decodeObject(value, origin),
    size: value.shm_segsz,
    hugeShift: (value.flags & SHM_HUGETLB) === 0 ? undefined : (value.shift ?? 0),
    noReserve: (value.flags & SHM_NORESERVE) !== 0,
    contents: `${origin.image}[${index}]`,
    inline: undefined,
    ...{ part, objref: value.objref },
  };
}

/** The fields of an IPC_SHM whose inode has the hidden number `objref`. */
export function encodeSegment(segment: IpcSegment, objref: number): Fields {
  const { size, hugeShift, noReserve = false } = segment;
  return {
    perms: encodeObject(segment),
    shm_segsz: size,
    mlock_uid: NOT_LOCKED,
    flags: (hugeShift === undefined ? 0 : SHM_HUGETLB) | (noReserve ? SHM_NORESERVE : 0),
    objref,
    shift: hugeShift ?? 0,
  };
}

function decodeQueue(reader: StreamReader, part: Part): IpcQueue {
  const { index, value } = reader.get(part, RECORDS.IPC_MSG);
  return {
    ...decodeObject(value, reader.origin(index)),
    messages: Number(value.q_qnum),
    bytes: part.parts.reduce((sum, each) => sum + reader.get(each, RECORDS.IPC_MSG_MSG).value.m_ts, 0),
    maxBytes: Number(value.q_qbytes),
    *stored(): Generator<IpcMessage> {
      const { image } = reader;
      for (const message of part.parts) {
        const { m_type, m_ts } = reader.get(message, RECORDS.IPC_MSG_MSG).value;
        const pieces = message.parts.map((piece) => ({
          source: image.source,
          ...image.payload(reader.get(piece, RECORDS.BUFFER).index),
        }));
        yield { type: BigInt(m_type), size: m_ts, pieces };
      }
    },
  };
}

export function encodeQueue(queue: IpcQueue): Fields {
  return {
    perms: encodeObject(queue),
    q_cbytes: BigInt(queue.bytes),
    q_qnum: BigInt(queue.messages),
    q_qbytes: BigInt(queue.maxBytes),
  };
}

export function encodeMessage({ type, size }: IpcMessage): Fields {
  return { m_type: type, m_ts: size };
}

function decodeSemaphores(reader: StreamReader, part: Part): IpcSemaphores {
  const { index, value } = reader.get(part, RECORDS.IPC_SEM);
  const buffer = reader.index(part, RECORDS.BUFFER);
  // Pairs of a value and the process that changed it last.
  const words = buffer === undefined ? [] : reader.image.numbers(buffer);
  return {
    ...decodeObject(value, reader.origin(index)),
    hasHistory: hasHistory(value) || words.some((word, i) => i % 2 === 1 && word !== 0),
    count: value.sem_nsems,
    values: words.filter((_, i) => i % 2 === 0),
  };
}

/** The fields of IPC_SEM, and the BUFFER behind it: pairs of a value and a process, which is not known. */
export function encodeSemaphores(semaphores: IpcSemaphores): {
  readonly fields: Fields;
  readonly values: Buffer;
} {
  const pairs = semaphores.values.flatMap((value) => [value, 0]);
  return {
    fields: { perms: encodeObject(semaphores), sem_nsems: semaphores.count },
    values: wordBytes("s32", pairs, "value of a semaphore"),
  };
}

function decodeObject(
  value: { readonly perms: Omit<IpcObject, "origin" | "hasHistory"> },
  origin: Origin,
): IpcObject {
  const { id, key, uid, gid, cuid, cgid, mode } = value.perms;
  return { id, key, uid, gid, cuid, cgid, mode, hasHistory: hasHistory(value), origin };
}

function hasHistory(value: Fields): boolean {
  return HISTORY.some((field) => Number(value[field] ?? 0) !== 0);
}

function encodeObject({ id, key, uid, gid, cuid, cgid, mode }: IpcObject): Fields {
  return { id, key, uid, gid, cuid, cgid, mode };
}
