import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { addFile } from "./file-entry.js";
import { ROOT_IDS } from "./namespaces.js";
import { socketOptions } from "./socket-options.js";
import type { StreamFile } from "./stream-file.js";

/** SOCKET_NETLINK.flags. */
const HAS_GROUPS = 1;
/** SOCKET_PACKET.flags. */
const PACKET = { auxData: 1, origDev: 2, vnetHdr: 4, loss: 8, fanout: 16 } as const;

export function netlinkSocket({ context, id, value, owner, label }: StreamFile, part: Part): void {
  const { reader } = context;
  const { sock } = reader.get(part, RECORDS.SOCKET).value;
  const own = reader.get(part, RECORDS.SOCKET_NETLINK).value;
  const inode = Number(BigInt.asUintN(32, reader.find(part, RECORDS.SOCKET_EXTRA)?.value.inode ?? 0n));
  addFile(context, "NETLINKSK", id, {
    nlsk: {
      id,
      ino: inode === 0 ? context.id("SOCK", part.objref ?? 0) : inode,
      protocol: sock.protocol,
      state: sock.state,
      flags: value.f_flags,
      portid: own.portid,
      groups: (own.flags & HAS_GROUPS) === 0 ? [] : [own.groups],
      dst_portid: own.dst_portid,
      dst_group: own.dst_group,
      fown: owner,
      opts: socketOptions(context, part, label),
      ns_id: ROOT_IDS.net_ns_id,
    },
  });
}

export function packetSocket({ context, id, value, owner, label }: StreamFile, part: Part): void {
  const { reader } = context;
  const { sock } = reader.get(part, RECORDS.SOCKET).value;
  const own = reader.get(part, RECORDS.SOCKET_PACKET).value;
  const has = (flag: number): boolean => (own.flags & flag) !== 0;
  const { protocol, ifindex, version, reserve, timestamp, copy_thresh } = own;
  addFile(context, "PACKETSK", id, {
    psk: {
      id,
      type: sock.type,
      flags: value.f_flags,
      fown: owner,
      opts: socketOptions(context, part, label),
      ...{ protocol, ifindex, version, reserve, timestamp, copy_thresh },
      aux_data: has(PACKET.auxData),
      orig_dev: has(PACKET.origDev),
      vnet_hdr: has(PACKET.vnetHdr),
      loss: has(PACKET.loss),
      mclist: [],
      ...(has(PACKET.fanout) ? { fanout: own.fanout } : {}),
      ns_id: ROOT_IDS.net_ns_id,
    },
  });
}
