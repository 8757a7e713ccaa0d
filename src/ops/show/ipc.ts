import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { IpcDescEntry, IpcVarEntry } from "../../formats/criu/tables/ipc.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { ByteOrder } from "../../io/byte-order.js";
import type { Document } from "../../model/document.js";
import { StreamReader } from "../../model/linux-cr/reader.js";
import { hex, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface IpcView extends ViewHead<"ipc"> {
  readonly namespaces: readonly IpcNamespace[];
  /** Why there are none. */
  readonly note?: string | undefined;
}

export interface IpcNamespace {
  readonly id: number;
  /** Limits by the names of the stored record, sysctl kernel.* and fs.mqueue.*. */
  readonly limits: Readonly<Record<string, number | bigint | readonly number[]>>;
  readonly segments: readonly (IpcObject & { readonly size: bigint; readonly contents: string })[];
  readonly queues: readonly (IpcObject & MessageQueue)[];
  readonly semaphores: readonly (IpcObject & { readonly values: readonly number[] })[];
}

/** A SysV object, sysvipc(7). */
export interface IpcObject {
  readonly id: number;
  readonly key: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: string;
}

export interface MessageQueue {
  readonly messages: number;
  /** Bytes in the messages, and how many there may be. */
  readonly bytes: number;
  readonly maxBytes: number;
}

/** SysV shared memory, message queues and semaphores. */
export function ipcView(document: Document, _options: ShowOptions = {}): IpcView {
  if (document.family === "linux-cr")
    return { ...viewHead("ipc"), ...ofStream(StreamReader.of(document.image)) };
  const { set } = document;
  const kinds = [IMAGES.IPC_VAR, IMAGES.IPCNS_SHM, IMAGES.IPCNS_MSG, IMAGES.IPCNS_SEM];
  const ids = [...new Set(kinds.flatMap((kind) => set.ids(kind)))].sort((a, b) => a - b);
  const note = ids.length > 0 ? undefined : "the tasks lived in that of criu itself";
  return { ...viewHead("ipc"), namespaces: ids.map((id) => ipcNamespace(set, id)), note };
}

function ipcNamespace(set: CriuImageSet, id: number): IpcNamespace {
  const { _unknown, ...limits } = set.first(IMAGES.IPC_VAR, id) ?? ({} as Partial<IpcVarEntry>);
  return {
    ...{ id, limits },
    segments: set.records(IMAGES.IPCNS_SHM, id).map(({ value, payload }) => ({
      ...ipcObject(value.desc),
      size: value.size,
      contents: payload.length > 0 ? `ipcns-shm-${id}.img` : `pagemap-shmem-${value.desc.id}.img`,
    })),
    queues: set.records(IMAGES.IPCNS_MSG, id).map(({ value, payload }) => ({
      ...ipcObject(value.desc),
      messages: value.qnum,
      bytes: payload.reduce((sum, part) => sum + (part.message === undefined ? part.size : 0), 0),
      maxBytes: value.qbytes,
    })),
    semaphores: semaphores(set, id),
  };
}

function ofStream(reader: StreamReader): Pick<IpcView, "namespaces" | "note"> {
  const namespaces = [...reader.objects("IPC_NS")].map((part) => namespaceOfStream(reader, part));
  return { namespaces, note: namespaces.length > 0 ? undefined : "the stream has none" };
}

function namespaceOfStream(reader: StreamReader, part: Part): IpcNamespace {
  const lists = part.parts.flatMap((list) => list.parts);
  const ofRule = (rule: Part["rule"]): Part[] => lists.filter((entry) => entry.rule === rule);
  return {
    id: part.objref ?? 0,
    limits: { ...reader.get(part, RECORDS.IPC_NS).value },
    segments: ofRule("shm").map((shm) => {
      const { index, value } = reader.get(shm, RECORDS.IPC_SHM);
      const { image } = reader.origin(index);
      return { ...ipcObject(value.perms), size: value.shm_segsz, contents: `${image}[${index}]` };
    }),
    queues: ofRule("msg").map((queue) => {
      const { value } = reader.get(queue, RECORDS.IPC_MSG);
      return {
        ...ipcObject(value.perms),
        messages: Number(value.q_qnum),
        bytes: queue.parts.reduce((sum, each) => sum + reader.get(each, RECORDS.IPC_MSG_MSG).value.m_ts, 0),
        maxBytes: Number(value.q_qbytes),
      };
    }),
    semaphores: ofRule("sem").map((sem) => {
      const values = reader.index(sem, RECORDS.BUFFER);
      // Pairs of a value and the process that changed it last.
      const words = values === undefined ? [] : reader.image.numbers(values);
      const { perms } = reader.get(sem, RECORDS.IPC_SEM).value;
      return { ...ipcObject(perms), values: words.filter((_, i) => i % 2 === 0) };
    }),
  };
}

function semaphores(set: CriuImageSet, id: number): IpcNamespace["semaphores"] {
  const image = set.image(IMAGES.IPCNS_SEM, id);
  const byteOrder = image?.header?.byteOrder ?? "little-endian";
  return (image?.records() ?? []).map(({ value, payload }) => {
    const [part] = payload;
    const bytes = part === undefined ? undefined : image?.source.read(part.offset, part.size);
    return { ...ipcObject(value.desc), values: bytes === undefined ? [] : values16(bytes, byteOrder) };
  });
}

function values16(bytes: Buffer, byteOrder: ByteOrder): number[] {
  return Array.from({ length: bytes.length >> 1 }, (_, at) =>
    byteOrder === "little-endian" ? bytes.readUInt16LE(at * 2) : bytes.readUInt16BE(at * 2),
  );
}

function ipcObject({
  id,
  key,
  uid,
  gid,
  mode,
}: Pick<IpcDescEntry, "id" | "key" | "uid" | "gid" | "mode">): IpcObject {
  return { id, key: hex(key), uid, gid, mode: `0${mode.toString(8)}` };
}
