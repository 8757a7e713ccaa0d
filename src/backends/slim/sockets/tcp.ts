import type { TcpStreamEntry } from "../../../formats/criu/tables/sk-inet.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { BackendError } from "../../../io/errors.js";
import { SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SO_REUSEADDR, SOL_SOCKET, SOL_TCP } from "../../../linux/sockets.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { SYS } from "../sys/abi-x64.js";
import { call } from "../sys/syscall.js";
import { getOption, intOption, peekMessage, s32, sendMessage, setOption, trySetOption } from "./calls.js";
import { type ImageInet, type ImageMessage, messagesOf, whyNotConnected } from "./image.js";

/** Options of TCP that restore a connection: linux/tcp.h. */
const TCP = {
  maxSegment: 2,
  info: 11,
  repair: 19,
  repairQueue: 20,
  queueSequence: 21,
  repairOptions: 22,
  timestamp: 24,
  repairWindow: 29,
} as const;

/** Values of TCP_REPAIR and TCP_REPAIR_QUEUE. `offQuietly` sends no window probe. */
const REPAIR = { on: 1, offQuietly: -1, off: 0, noQueue: 0, receiveQueue: 1, sendQueue: 2 } as const;

/** Kinds of TCP options for TCP_REPAIR_OPTIONS, net/tcp.h, by the bit of TCP_EXTRA.opt_mask. */
const TCP_OPTION = { maxSegment: 2, windowScale: 3, selective: 4, timestamps: 8 } as const;
const AGREED = { timestamps: 1, selective: 2, windowScale: 4 } as const;

/** struct tcp_info, linux/tcp.h: where its fields stand. */
const INFO = { bytes: 104, state: 0, options: 5, scales: 6, unacknowledged: 24, selective: 28 } as const;

/** What tcp_info says of a socket. Of a listening one `unacknowledged` and `selective` are its queue and backlog. */
interface TcpInfo {
  readonly state: number;
  readonly options: number;
  readonly sendScale: number;
  readonly receiveScale: number;
  readonly unacknowledged: number;
  readonly selective: number;
}

export function tcpInfo(fd: number): TcpInfo {
  const info = getOption(fd, SOL_TCP, TCP.info, INFO.bytes) ?? Buffer.alloc(INFO.bytes);
  const scales = info[INFO.scales] ?? 0;
  return {
    state: info[INFO.state] ?? 0,
    options: info[INFO.options] ?? 0,
    sendScale: scales & 15,
    receiveScale: scales >> 4,
    unacknowledged: info.readUInt32LE(INFO.unacknowledged),
    selective: info.readUInt32LE(INFO.selective),
  };
}

/** A TCP connection with its queues. */
export interface Connection {
  readonly entry: TcpStreamEntry;
  readonly received: Buffer;
  readonly unsent: Buffer;
}

/**
 * Reads connections with TCP_REPAIR of tcp(7). All of them are in repair at once, and are read until two looks in a row
 * agree: what one end still had on its way is then either there or not. Errors: BackendError.
 */
export function readConnections(fds: readonly number[]): Connection[] {
  const LOOKS = 10;
  const reuse = fds.map((fd) => intOption(fd, SOL_SOCKET, SO_REUSEADDR) ?? 0);
  try {
    for (const fd of fds)
      setOption("begin the repair of a TCP connection", fd, SOL_TCP, TCP.repair, REPAIR.on);
    for (let look = 0; look < LOOKS; look++) {
      const before = fds.map(sequences);
      const found = fds.map(readConnection);
      if (fds.every((fd, i) => sequences(fd) === before[i])) return found;
    }
    throw new BackendError("a TCP connection does not settle");
  } finally {
    for (const [i, fd] of fds.entries()) leaveRepair(fd, reuse[i] ?? 0);
  }
}

/** A connection that is in repair vanishes without a word to its peer when it is closed. */
export function enterRepair(fd: number): void {
  trySetOption(fd, SOL_TCP, TCP.repair, REPAIR.on);
}

/** Leaving repair resets SO_REUSEADDR. */
export function leaveRepair(fd: number, reuse: number): void {
  trySetOption(fd, SOL_TCP, TCP.repair, REPAIR.offQuietly);
  trySetOption(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
}

function sequences(fd: number): string {
  return [REPAIR.receiveQueue, REPAIR.sendQueue]
    .map((queue) => queueSequence(fd, queue))
    .concat(count(fd, SIOCINQ), count(fd, SIOCOUTQ))
    .join(" ");
}

function queueSequence(fd: number, queue: number): number {
  setOption("choose a queue of a TCP connection", fd, SOL_TCP, TCP.repairQueue, queue);
  return (intOption(fd, SOL_TCP, TCP.queueSequence) ?? 0) >>> 0;
}

function readConnection(fd: number): Connection {
  const received = readQueue(fd, REPAIR.receiveQueue, SIOCINQ);
  const unsent = readQueue(fd, REPAIR.sendQueue, SIOCOUTQ);
  const neverSent = count(fd, SIOCOUTQNSD);
  setOption("leave the queues of a TCP connection", fd, SOL_TCP, TCP.repairQueue, REPAIR.noQueue);
  const info = tcpInfo(fd);
  const window = getOption(fd, SOL_TCP, TCP.repairWindow, WINDOW_BYTES);
  return {
    received: received.bytes,
    unsent: unsent.bytes,
    entry: {
      inq_len: received.bytes.length,
      inq_seq: received.sequence,
      outq_len: unsent.bytes.length,
      outq_seq: unsent.sequence,
      unsq_len: neverSent,
      opt_mask: info.options & OPTIONS_AGREED,
      snd_wscale: info.sendScale,
      rcv_wscale: info.receiveScale,
      mss_clamp: intOption(fd, SOL_TCP, TCP.maxSegment) ?? 0,
      timestamp: (intOption(fd, SOL_TCP, TCP.timestamp) ?? 0) >>> 0,
      ...(window?.length === WINDOW_BYTES
        ? {
            snd_wl1: window.readUInt32LE(0),
            snd_wnd: window.readUInt32LE(4),
            max_window: window.readUInt32LE(8),
            rcv_wnd: window.readUInt32LE(12),
            rcv_wup: window.readUInt32LE(16),
          }
        : {}),
    },
  };
}

/** struct tcp_repair_window. */
const WINDOW_BYTES = 20;
/** TCPI_OPT_TIMESTAMPS, SACK and WSCALE. */
const OPTIONS_AGREED = 7;

function readQueue(
  fd: number,
  queue: number,
  size: number,
): { readonly sequence: number; readonly bytes: Buffer } {
  const sequence = queueSequence(fd, queue);
  const wanted = count(fd, size);
  if (wanted === 0) return { sequence, bytes: Buffer.alloc(0) };
  const message = peekMessage(fd, wanted);
  if (typeof message !== "object" || message.data.length !== wanted)
    throw new BackendError("the queue of a TCP connection cannot be read");
  return { sequence, bytes: message.data };
}

function count(fd: number, request: number): number {
  const value = Buffer.alloc(4);
  call("measure the queue of a TCP connection", SYS.ioctl, fd, request, value);
  return value.readInt32LE();
}

/** TCP_EXTRA.flags. */
const STORED = { receiveScale: 1, timestamp: 2, windows: 4, neverSent: 8 } as const;
/** Bytes of a queue that one call restores. */
const CHUNK = 64 * 1024;

/**
 * Makes an unbound socket one end of a connection, with both queues, by TCP_REPAIR of tcp(7): it stays in repair, where it
 * sends nothing and vanishes without a word when it is closed. Errors: BackendError.
 */
export function connectInRepair(fd: number, reader: StreamReader, socket: ImageInet): void {
  const { part, local, remote } = socket;
  const why = whyNotConnected(reader, socket);
  const extra = reader.find(part, RECORDS.TCP_EXTRA)?.value;
  const { tcp } = reader.get(part, RECORDS.SOCKET_INET).value;
  if (
    why !== undefined ||
    extra === undefined ||
    tcp === undefined ||
    local === undefined ||
    remote === undefined
  )
    throw new BackendError(`SOCK ${socket.objref} ${why ?? "is a TCP connection without addresses"}`);
  const has = (flag: number): boolean => (extra.flags & flag) !== 0;
  const { received, unsent } = messagesOf(reader, socket);
  const [inBytes, outBytes] = [sizeOf(received), sizeOf(unsent)];
  const set = (doing: string, name: number, value: number | Buffer): void =>
    setOption(`${doing} of a TCP connection`, fd, SOL_TCP, name, value);
  set("begin the repair", TCP.repair, REPAIR.on);
  call("bind a TCP connection", SYS.bind, fd, local, local.length);
  setSequence(fd, REPAIR.sendQueue, tcp.write_seq - outBytes);
  setSequence(fd, REPAIR.receiveQueue, tcp.rcv_nxt - inBytes);
  call("connect a TCP connection", SYS.connect, fd, remote, remote.length);
  set("set the options", TCP.repairOptions, agreed(extra, has(STORED.receiveScale)));
  if (has(STORED.timestamp)) set("set the clock", TCP.timestamp, extra.timestamp);
  fill(fd, REPAIR.receiveQueue, received);
  // What was never sent is sent as usual once the repair is over.
  const neverSent = has(STORED.neverSent) ? (tcp.write_seq - tcp.snd_nxt) >>> 0 : 0;
  fill(fd, REPAIR.sendQueue, [
    { data: bytesOf(unsent).subarray(0, outBytes - neverSent), rights: [], sender: 0 },
  ]);
  set("leave the queues", TCP.repairQueue, REPAIR.noQueue);
  if (has(STORED.windows)) {
    const window = s32(tcp.snd_wl1, tcp.snd_wnd, tcp.max_window, tcp.rcv_wnd, tcp.rcv_wup);
    // A window that the kernel finds out of bounds is left to be found anew.
    trySetOption(fd, SOL_TCP, TCP.repairWindow, window);
  }
}

/** The connection goes on: both ends are there. */
export function endRepair(fd: number, reader: StreamReader, socket: ImageInet): void {
  setOption("end the repair of a TCP connection", fd, SOL_TCP, TCP.repair, REPAIR.off);
  const { tcp } = reader.get(socket.part, RECORDS.SOCKET_INET).value;
  const extra = reader.find(socket.part, RECORDS.TCP_EXTRA)?.value;
  if (tcp === undefined || extra === undefined || (extra.flags & STORED.neverSent) === 0) return;
  const neverSent = (tcp.write_seq - tcp.snd_nxt) >>> 0;
  if (neverSent === 0) return;
  const bytes = bytesOf(messagesOf(reader, socket).unsent);
  send(fd, bytes.subarray(bytes.length - neverSent));
}

function setSequence(fd: number, queue: number, sequence: number): void {
  setOption("choose a queue of a TCP connection", fd, SOL_TCP, TCP.repairQueue, queue);
  setOption("set a sequence number of a TCP connection", fd, SOL_TCP, TCP.queueSequence, sequence);
}

function fill(fd: number, queue: number, messages: readonly ImageMessage[]): void {
  setOption("choose a queue of a TCP connection", fd, SOL_TCP, TCP.repairQueue, queue);
  for (const { data } of messages) send(fd, data);
}

function send(fd: number, data: Buffer): void {
  for (let done = 0; done < data.length; )
    done += sendMessage("fill the queue of a TCP connection", fd, data.subarray(done, done + CHUNK));
}

/** struct tcp_repair_opt each: kind and value. */
function agreed(
  extra: {
    readonly opt_mask: number;
    readonly snd_wscale: number;
    readonly rcv_wscale: number;
    readonly mss_clamp: number;
  },
  hasReceiveScale: boolean,
): Buffer {
  const options: number[] = [];
  if ((extra.opt_mask & AGREED.selective) !== 0) options.push(TCP_OPTION.selective, 0);
  if ((extra.opt_mask & AGREED.windowScale) !== 0)
    options.push(TCP_OPTION.windowScale, extra.snd_wscale | ((hasReceiveScale ? extra.rcv_wscale : 0) << 16));
  if ((extra.opt_mask & AGREED.timestamps) !== 0) options.push(TCP_OPTION.timestamps, 0);
  options.push(TCP_OPTION.maxSegment, extra.mss_clamp);
  return s32(...options);
}

function bytesOf(messages: readonly ImageMessage[]): Buffer {
  return Buffer.concat(messages.map(({ data }) => data));
}

function sizeOf(messages: readonly ImageMessage[]): number {
  return messages.reduce((sum, { data }) => sum + data.length, 0);
}
