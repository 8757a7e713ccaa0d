import { RECORDS } from "../../../../../formats/linux-cr/records.js";
import type { Image } from "../../image.js";

/** CLOCKS.flags: the tasks had a time namespace of their own. */
const OWN_TIME = 1;

/** Namespaces of tasks that are not those that crimg itself is in. */
export function unsupportedNamespaces({ reader }: Image): string[] {
  const { head } = reader.tree;
  const clocks = head && reader.find(head, RECORDS.CLOCKS)?.value;
  const several = [...reader.objects("UTS_NS")].length > 1 || [...reader.objects("IPC_NS")].length > 1;
  return [
    ...((clocks?.flags ?? 0) & OWN_TIME ? ["the tasks have a time namespace of their own"] : []),
    ...(reader.objects("NET_NS").next().done === false
      ? ["the tasks have a network namespace of their own"]
      : []),
    ...(several ? ["the tasks are in different UTS or IPC namespaces"] : []),
  ];
}
