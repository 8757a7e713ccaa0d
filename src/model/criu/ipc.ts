import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { IpcDescEntry, IpcVarEntry } from "../../formats/criu/tables/ipc.js";
import type { ByteOrder } from "../../io/byte-order.js";
import type { IpcNamespace, IpcObject, UtsNamespace } from "../ipc.js";

/** The UTS namespaces that were dumped. */
export function criuUtsNamespaces(set: CriuImageSet): UtsNamespace[] {
  return set.ids(IMAGES.UTSNS).flatMap((id) => {
    const names = set.first(IMAGES.UTSNS, id);
    return names === undefined ? [] : { id, hostName: names.nodename, domainName: names.domainname };
  });
}

/** The IPC namespaces that were dumped. */
export function criuIpcNamespaces(set: CriuImageSet): IpcNamespace[] {
  const kinds = [IMAGES.IPC_VAR, IMAGES.IPCNS_SHM, IMAGES.IPCNS_MSG, IMAGES.IPCNS_SEM];
  const ids = [...new Set(kinds.flatMap((kind) => set.ids(kind)))].sort((a, b) => a - b);
  return ids.map((id) => ipcNamespace(set, id));
}

function ipcNamespace(set: CriuImageSet, id: number): IpcNamespace {
  const { _unknown, ...limits } = set.first(IMAGES.IPC_VAR, id) ?? ({} as Partial<IpcVarEntry>);
  return {
    ...{ id, limits },
    segments: set.map(IMAGES.IPCNS_SHM, id, ({ value, payload }) => ({
      ...ipcObject(value.desc),
      size: value.size,
      contents: payload.length > 0 ? `ipcns-shm-${id}.img` : `pagemap-shmem-${value.desc.id}.img`,
    })),
    queues: set.map(IMAGES.IPCNS_MSG, id, ({ value, payload }) => ({
      ...ipcObject(value.desc),
      messages: value.qnum,
      bytes: payload.reduce((sum, part) => sum + (part.message === undefined ? part.size : 0), 0),
      maxBytes: value.qbytes,
    })),
    semaphores: semaphores(set, id),
  };
}

function semaphores(set: CriuImageSet, id: number): IpcNamespace["semaphores"] {
  const image = set.image(IMAGES.IPCNS_SEM, id);
  const byteOrder = image?.header?.byteOrder ?? "little-endian";
  return set.map(IMAGES.IPCNS_SEM, id, ({ value, payload }) => {
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

function ipcObject({ id, key, uid, gid, mode }: IpcDescEntry): IpcObject {
  return { id, key, uid, gid, mode };
}
