import { IMAGES } from "../../../formats/criu/images.js";
import {
  IPC_MSG,
  IPC_MSG_ENTRY,
  IPC_SEM_ENTRY,
  IPC_SHM_ENTRY,
  IPC_VAR_ENTRY,
  type IpcDescEntry,
} from "../../../formats/criu/tables/ipc.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Piece } from "../../../io/concat.js";
import { wordBytes } from "../../../io/words.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import type { ToCriu } from "./context.js";
import { PageRuns, writePages } from "./pages.js";

/** What Linux has where a stream says nothing, see mq_overview(7). */
const MQ = {
  mq_queues_max: 256,
  mq_msg_max: 10,
  mq_msgsize_max: 8192,
  mq_msg_default: 10,
  mq_msgsize_default: 8192,
} as const;
/** No id is wanted for the next object: criu leaves the field out then, and cannot restore it. */
const ANY = -1;
const ALIGN = 8;

/** The images of an IPC namespace: limits, segments, queues, semaphores. */
export function writeIpc(context: ToCriu, id: number, namespace: Part): void {
  const { reader, set } = context;
  const { value } = reader.get(namespace, RECORDS.IPC_NS);
  const extra = reader.find(namespace, RECORDS.IPC_NS_EXTRA)?.value;
  const limits = [value.sem_ctl_msl, value.sem_ctl_mns, value.sem_ctl_opm, value.sem_ctl_mni];
  set.add(IMAGES.IPC_VAR, id, IPC_VAR_ENTRY, {
    sem_ctls: limits.map((limit) => limit >>> 0),
    msg_ctlmax: value.msg_ctlmax >>> 0,
    msg_ctlmnb: value.msg_ctlmnb >>> 0,
    msg_ctlmni: value.msg_ctlmni >>> 0,
    auto_msgmni: extra?.auto_msgmni ?? 0,
    shm_ctlmax: value.shm_ctlmax,
    shm_ctlall: value.shm_ctlall,
    shm_ctlmni: value.shm_ctlmni >>> 0,
    shm_rmid_forced: extra?.shm_rmid_forced ?? 0,
    mq_queues_max: extra?.mq_queues_max ?? MQ.mq_queues_max,
    mq_msg_max: extra?.mq_msg_max ?? MQ.mq_msg_max,
    mq_msgsize_max: extra?.mq_msgsize_max ?? MQ.mq_msgsize_max,
    // Sets before criu 2.5 say nothing of these two.
    mq_msg_default: extra?.mq_msg_default || MQ.mq_msg_default,
    mq_msgsize_default: extra?.mq_msgsize_default || MQ.mq_msgsize_default,
    ...nextId("msg_next_id", extra?.msg_next_id),
    ...nextId("sem_next_id", extra?.sem_next_id),
    ...nextId("shm_next_id", extra?.shm_next_id),
  });
  for (const kind of [IMAGES.IPCNS_SHM, IMAGES.IPCNS_MSG, IMAGES.IPCNS_SEM]) set.open(kind, id);
  for (const each of namespace.parts.flatMap(({ parts }) => parts)) {
    if (each.rule === "shm") writeSegment(context, id, each);
    else if (each.rule === "msg") writeQueue(context, id, each);
    else if (each.rule === "sem") writeSemaphores(context, id, each);
  }
}

function nextId<K extends string>(name: K, id = ANY): { readonly [P in K]?: number } {
  return id === ANY ? {} : ({ [name]: id >>> 0 } as { readonly [P in K]: number });
}

function writeSegment(context: ToCriu, namespace: number, part: Part): void {
  const { value } = context.reader.get(part, RECORDS.IPC_SHM);
  const desc = descOf(value.perms);
  context.set.add(IMAGES.IPCNS_SHM, namespace, IPC_SHM_ENTRY, {
    desc,
    size: value.shm_segsz,
    in_pagemaps: true,
  });
  const pages = new PageRuns(context.reader);
  pages.add(part, PAGE_SIZE);
  writePages(context, IMAGES.SHMEM_PAGEMAP, desc.id, pages);
}

function writeQueue({ reader, set }: ToCriu, namespace: number, part: Part): void {
  const { value } = reader.get(part, RECORDS.IPC_MSG);
  set.add(IMAGES.IPCNS_MSG, namespace, IPC_MSG_ENTRY, {
    desc: descOf(value.perms),
    qbytes: Number(value.q_qbytes),
    qnum: Number(value.q_qnum),
  });
  for (const message of part.parts) {
    const { value: head } = reader.get(message, RECORDS.IPC_MSG_MSG);
    const pieces: Piece[] = message.parts.map((chunk) => ({
      source: reader.image.source,
      ...reader.image.payload(reader.get(chunk, RECORDS.BUFFER).index),
    }));
    pieces.push(Buffer.alloc((ALIGN - (head.m_ts % ALIGN)) % ALIGN));
    set.add(IMAGES.IPCNS_MSG, namespace, IPC_MSG, { mtype: BigInt(head.m_type), msize: head.m_ts }, pieces);
  }
}

/** A stream holds value and last pid of each, 32 bits both; a set the values as 16 bits. */
function writeSemaphores({ reader, set }: ToCriu, namespace: number, part: Part): void {
  const { value } = reader.get(part, RECORDS.IPC_SEM);
  const index = reader.index(part, RECORDS.BUFFER);
  const pairs = index === undefined ? [] : reader.image.numbers(index);
  if (pairs.length < value.sem_nsems * 2)
    throw reader.image.error(
      index ?? part.records[0] ?? 0,
      `${value.sem_nsems} semaphores do not stand in it`,
    );
  const counts = pairs.filter((_, i) => i % 2 === 0 && i < value.sem_nsems * 2).map((each) => each & 0xffff);
  const words = wordBytes("u16", counts, "value of a semaphore");
  const values = Buffer.concat([words], Math.ceil(words.length / ALIGN) * ALIGN);
  set.add(IMAGES.IPCNS_SEM, namespace, IPC_SEM_ENTRY, { desc: descOf(value.perms), nsems: value.sem_nsems }, [
    values,
  ]);
}

/** Access rights of an object, without its sequence number, which criu does not store. */
function descOf(perms: {
  readonly id: number;
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
}): IpcDescEntry {
  const { id, key, uid, gid, cuid, cgid, mode } = perms;
  return { id, key, uid, gid, cuid, cgid, mode };
}
