import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import type { IpcNamespace, IpcObject, UtsNamespace } from "../ipc.js";
import type { StreamReader } from "./reader.js";

/** The UTS namespaces of a stream. */
export function linuxCrUtsNamespaces(reader: StreamReader): UtsNamespace[] {
  return [...reader.objects("UTS_NS")].map((part) => {
    const { nodename, domainname } = reader.get(part, RECORDS.UTS_NS).value;
    return { id: part.objref ?? 0, hostName: nodename, domainName: domainname };
  });
}

/** The IPC namespaces of a stream. */
export function linuxCrIpcNamespaces(reader: StreamReader): IpcNamespace[] {
  return [...reader.objects("IPC_NS")].map((part) => ipcNamespace(reader, part));
}

function ipcNamespace(reader: StreamReader, part: Part): IpcNamespace {
  const entries = part.parts.flatMap((list) => list.parts);
  const ofRule = (rule: Part["rule"]): Part[] => entries.filter((entry) => entry.rule === rule);
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

function ipcObject({ id, key, uid, gid, mode }: IpcObject): IpcObject {
  return { id, key, uid, gid, mode };
}
