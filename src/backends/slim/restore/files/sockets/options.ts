import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SOCK_BUF_LOCK_MASK,
  SOL_SOCKET,
} from "../../../../../linux/sockets.js";
import { INET_OPTION, OPTION, SWITCHES } from "../../../socket-options.js";
import { getOption, intOption, s32, setOption, trySetOption } from "../../../sys/socket-calls.js";

import type { ImageInet, ImageSocket } from "./image-socket.js";

/** Room for filling queues, in bytes: what waited in them fitted under limits that may have been lowered since. */
const ROOM = 4 << 20;
/** Most that SO_SNDBUFFORCE takes, half of an int. */
const MAX_ROOM = 0x3fff_ffff;

/** Buffers that hold what is put into them now; their sizes come last. */
export function makeRoom(fd: number, bytes: number): void {
  const room = Math.min(MAX_ROOM, Math.max(ROOM, bytes * 4));
  const now = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  if (now(OPTION.sendBuffer) < room) setSize(fd, OPTION.sendBufferForce, OPTION.sendBuffer, room);
  if (now(OPTION.receiveBuffer) < room) setSize(fd, OPTION.receiveBufferForce, OPTION.receiveBuffer, room);
}

/** Options that count when a socket is bound. */
export function optionsBeforeBind(fd: number, socket: ImageInet): void {
  const set = (name: keyof typeof INET_OPTION, value: boolean): void => {
    const [level, number] = INET_OPTION[name];
    setOption(`set the option ${name} of a socket`, fd, level, number, Number(value));
  };
  if (socket.family === AF_INET6) set("v6only", socket.v6only);
  if (socket.ip.freebind === true) set("freebind", true);
  if (socket.opts.so_reuseport === true)
    setOption("share the port of a socket", fd, SOL_SOCKET, SWITCHES.so_reuseport, 1);
  if (socket.ifindex !== 0)
    setOption("bind a socket to its interface", fd, SOL_SOCKET, OPTION.interface, socket.ifindex);
  // Connections of the dead process that linger must not stand in the way; the option itself is set again later.
  if (socket.protocol === IPPROTO_TCP)
    setOption("take the port of a socket", fd, SOL_SOCKET, SWITCHES.reuseaddr, 1);
}

/** All other options, once everything is in the queues. Errors: KernelError. */
export function setOptions(fd: number, socket: ImageSocket): void {
  const { opts } = socket;
  for (const [key, name] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, number][]) {
    const wanted = opts[key];
    if (wanted === undefined) continue;
    setInt(fd, name, Number(wanted), key);
  }
  setInt(fd, OPTION.priority, opts.so_priority ?? 0, "so_priority");
  setInt(fd, OPTION.receiveLowWater, opts.so_rcvlowat ?? 1, "so_rcvlowat");
  if (opts.so_mark !== undefined) setInt(fd, OPTION.mark, opts.so_mark, "so_mark");
  setTime(fd, OPTION.receiveTimeout, opts.so_rcv_tmo_sec, opts.so_rcv_tmo_usec);
  setTime(fd, OPTION.sendTimeout, opts.so_snd_tmo_sec, opts.so_snd_tmo_usec);
  if (opts.so_linger !== undefined)
    setOption("let a socket linger", fd, SOL_SOCKET, OPTION.linger, s32(1, opts.so_linger));
  if (socket.family === AF_INET || socket.family === AF_INET6) setInetOptions(fd, socket);
  setSizes(fd, socket);
}

/** An option is only touched when it differs: setting one may need rights that having it does not. */
function setInt(fd: number, name: number, value: number, key: string): void {
  if (intOption(fd, SOL_SOCKET, name) === value) return;
  setOption(`set the option ${key} of a socket`, fd, SOL_SOCKET, name, value);
}

function setTime(fd: number, name: number, seconds: bigint, microseconds: bigint): void {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(seconds, 0);
  time.writeBigInt64LE(microseconds, 8);
  if (getOption(fd, SOL_SOCKET, name, 16)?.equals(time) !== true)
    setOption("set a time limit of a socket", fd, SOL_SOCKET, name, time);
}

function setInetOptions(fd: number, { ip, tcp, protocol }: ImageInet): void {
  const set = (name: keyof typeof INET_OPTION, value: boolean | number | undefined): void => {
    if (value === undefined) return;
    const [level, number] = INET_OPTION[name];
    if (intOption(fd, level, number) !== Number(value))
      setOption(`set the option ${name} of a socket`, fd, level, number, Number(value));
  };
  set("pktinfo", ip.pktinfo);
  set("freebind", ip.freebind);
  set("ttl", ip.ttl);
  if (protocol !== IPPROTO_TCP) return;
  for (const name of ["nodelay", "cork", "keepidle", "keepintvl", "keepcnt"] as const) set(name, tcp[name]);
}

/** The kernel doubles what it is given; an image has what the kernel tells, and whether the program chose it. */
function setSizes(fd: number, { opts }: ImageSocket): void {
  const sizes = [
    [OPTION.sendBuffer, OPTION.sendBufferForce, opts.so_sndbuf],
    [OPTION.receiveBuffer, OPTION.receiveBufferForce, opts.so_rcvbuf],
  ] as const;
  for (const [name, force, size] of sizes)
    if (size > 0 && intOption(fd, SOL_SOCKET, name) !== size) setSize(fd, force, name, size >> 1);
  trySetOption(fd, SOL_SOCKET, OPTION.bufferLock, (opts.so_buf_lock ?? 0) & SOCK_BUF_LOCK_MASK);
}

/** Without CAP_NET_ADMIN a size goes up to the limits of the host alone. */
function setSize(fd: number, force: number, name: number, size: number): void {
  if (trySetOption(fd, SOL_SOCKET, force, size) < 0) trySetOption(fd, SOL_SOCKET, name, size);
}
