import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { AF_INET6, IPPROTO_TCP, SOCK_STREAM, TCP_CLOSE, TCP_LISTEN } from "../../../linux/sockets.js";
import type { ToCriu } from "./context.js";
import { addFile } from "./file-entry.js";
import { ROOT_IDS } from "./namespaces.js";
import { inetOptions, shutdownOf, socketOptions } from "./socket-options.js";
import type { StreamFile } from "./stream-file.js";
import { writeConnection } from "./tcp-connections.js";

export function inetSocket(file: StreamFile, part: Part): void {
  const { context, id, value, owner, label } = file;
  const { reader } = context;
  const { value: socket } = reader.get(part, RECORDS.SOCKET);
  const { sock, sock_common: common } = socket;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  const ends = endsOf(context, part, common.family);
  const isTcp = sock.protocol === IPPROTO_TCP && sock.type === SOCK_STREAM;
  const isConnection = isTcp && sock.state !== TCP_LISTEN && sock.state !== TCP_CLOSE;
  const ino = inodeOf(context, part);
  const isRestored = !isConnection || writeConnection(context, part, ino);
  if (!isRestored)
    context.losses.add(
      label,
      "its connection; it comes back as a closed socket",
      "criu needs the window scale and the options that both ends agreed on, which the stream does not hold",
    );
  lostQueues(file, part, isConnection);
  addFile(context, "INETSK", id, {
    isk: {
      id,
      ino,
      family: common.family,
      type: sock.type,
      proto: sock.protocol,
      state: isRestored ? sock.state : TCP_CLOSE,
      src_port: isRestored ? ends.localPort : 0,
      dst_port: isRestored ? ends.remotePort : 0,
      flags: value.f_flags,
      backlog: Math.max(0, sock.backlog),
      src_addr: isRestored ? ends.local : noAddress(common.family),
      dst_addr: isRestored ? ends.remote : noAddress(common.family),
      fown: owner,
      opts: socketOptions(context, part, label),
      ...(common.family === AF_INET6 ? { v6only: extra?.v6_only === 1 } : {}),
      ...inetOptions(context, part),
      ns_id: ROOT_IDS.net_ns_id,
      ...(isRestored ? shutdownOf(socket) : {}),
    },
  });
}

function inodeOf(context: ToCriu, part: Part): number {
  const inode = context.reader.find(part, RECORDS.SOCKET_EXTRA)?.value.inode ?? 0n;
  return inode === 0n || inode > 0xffffffffn ? context.id("SOCK", part.objref ?? 0) : Number(inode);
}

function lostQueues({ context, label }: StreamFile, part: Part, isConnection: boolean): void {
  if (isConnection) return;
  const bytes = (part.deferred?.parts ?? []).reduce(
    (sum, queue) => sum + context.reader.get(queue, RECORDS.SOCKET_QUEUE).value.total_bytes,
    0,
  );
  if (bytes > 0)
    context.losses.add(label, `${bytes} bytes that nobody has read`, "criu does not store the queues of UDP");
}

export type Ends = {
  readonly local: number[];
  readonly remote: number[];
  readonly localPort: number;
  readonly remotePort: number;
};

/** Both addresses as words in the order of memory, and the ports as numbers. */
export function endsOf(context: Pick<ToCriu, "reader">, part: Part, family: number): Ends {
  const { value } = context.reader.get(part, RECORDS.SOCKET_INET);
  const { laddr, raddr, laddr_len: bound, raddr_len: connected, inet6, num, dport } = value;
  const localPort = bound === 0 ? (num ?? 0) : laddr.readUInt16BE(2);
  const remotePort = connected === 0 ? swapped(dport ?? 0) : raddr.readUInt16BE(2);
  if (family === AF_INET6)
    return {
      ...{ localPort, remotePort },
      local: wordsOf(inet6?.rcv_saddr ?? Buffer.alloc(16)),
      remote: wordsOf(inet6?.daddr ?? Buffer.alloc(16)),
    };
  return {
    ...{ localPort, remotePort },
    local: bound === 0 ? [value.rcv_saddr ?? 0] : wordsOf(laddr.subarray(4, 8)),
    remote: connected === 0 ? [value.daddr ?? 0] : wordsOf(raddr.subarray(4, 8)),
  };
}

function wordsOf(address: Buffer): number[] {
  return Array.from({ length: address.length / 4 }, (_, i) => address.readUInt32LE(i * 4));
}

function swapped(port: number): number {
  return ((port & 0xff) << 8) | (port >> 8);
}

function noAddress(family: number): number[] {
  return family === AF_INET6 ? [0, 0, 0, 0] : [0];
}
