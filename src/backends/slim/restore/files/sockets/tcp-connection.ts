import { RECORDS } from "../../../../../formats/linux-cr/records.js";
import { BackendError } from "../../../../../io/errors.js";
import { SOL_TCP } from "../../../../../linux/sockets.js";
import type { StreamReader } from "../../../../../model/linux-cr/reader.js";
import { SYS } from "../../../sys/abi-x64.js";
import { s32, sendMessage, setOption, trySetOption } from "../../../sys/socket-calls.js";
import { call } from "../../../sys/syscall.js";
import { AGREED, REPAIR, TCP, TCP_OPTION } from "../../../tcp-repair.js";
import { type ImageInet, type ImageMessage, messagesOf, whyNotConnected } from "./image-socket.js";

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
