import type { TcpStreamEntry } from "../../../../formats/criu/tables/sk-inet.js";
import { BackendError } from "../../../../io/errors.js";
import {
  SIOCINQ,
  SIOCOUTQ,
  SIOCOUTQNSD,
  SO_REUSEADDR,
  SOL_SOCKET,
  SOL_TCP,
} from "../../../../linux/sockets.js";
import { SYS } from "../../sys/abi-x64.js";
import { getOption, intOption, peekMessage, setOption, trySetOption } from "../../sys/socket-calls.js";
import { call } from "../../sys/syscall.js";
import { REPAIR, TCP } from "../../tcp-repair.js";

/** struct tcp_info, linux/tcp.h: where its fields stand. */
const INFO = { bytes: 104, state: 0, options: 5, scales: 6, unacknowledged: 24, selective: 28 } as const;

/** What tcp_info says of a socket. Of a listening one `unacknowledged` and `selective` are its queue and backlog. */
export interface TcpInfo {
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
    for (const fd of fds) setOption("look into a TCP connection", fd, SOL_TCP, TCP.repair, REPAIR.on);
    for (let look = 0; look < LOOKS; look++) {
      const before = fds.map(sequences);
      const found = fds.map(readConnection);
      if (fds.every((fd, i) => sequences(fd) === before[i])) return found;
    }
    throw new BackendError("a TCP connection does not come to rest");
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
