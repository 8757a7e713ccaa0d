import type { IpcNamespace, IpcObject } from "../../../model/ipc.js";
import { type Comparable, hex, type Item, type Section } from "../section.js";

/** Host names and SysV objects; namespaces are paired by order, since their ids are arbitrary. */
export const NAMESPACES: Section = {
  name: "namespaces",
  *items(side) {
    const { utsNamespaces, ipcNamespaces } = side.document.checkpoint;
    for (const [i, { hostName, domainName }] of utsNamespaces.entries())
      yield { key: `uts ${i}`, label: "UTS namespace", fields: { hostName, domainName } };
    for (const [i, namespace] of ipcNamespaces.entries()) yield* ipcItems(namespace, i);
  },
};

function* ipcItems({ limits, segments, queues, semaphores }: IpcNamespace, nth: number): Generator<Item> {
  yield {
    key: `ipc ${nth}`,
    label: "IPC namespace",
    fields: Object.fromEntries(
      Object.entries(limits ?? {}).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(" ") : (value as Comparable),
      ]),
    ),
  };
  const item = (kind: string, object: IpcObject, fields: Record<string, Comparable>): Item => ({
    key: `ipc ${nth} ${kind} ${object.id}`,
    label: `SysV ${kind} ${object.id}`,
    fields: {
      key: hex(object.key >>> 0),
      ...{ uid: object.uid, gid: object.gid, mode: `0${(object.mode & 0o777).toString(8)}` },
      ...fields,
    },
  });
  for (const each of segments) yield item("segment", each, { size: each.size });
  for (const each of queues)
    yield item("queue", each, { messages: each.messages, bytes: each.bytes, maxBytes: each.maxBytes });
  for (const each of semaphores) yield item("semaphores", each, { values: each.values.join(" ") });
}
