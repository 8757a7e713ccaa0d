import fs from "node:fs";
import type { IpOptsEntry, TcpOptsEntry } from "../../../../formats/criu/tables/sk-inet.js";
import type { SkOptsEntry } from "../../../../formats/criu/tables/sk-opts.js";
import { SOL_SOCKET } from "../../../../linux/sockets.js";
import { INET_OPTION, OPTION, SWITCHES } from "../../socket-options.js";
import { SYS } from "../../sys/abi-x64.js";
import { getOption, intOption } from "../../sys/socket-calls.js";
import { attempt } from "../../sys/syscall.js";

/** struct timeval and struct linger. */
const TIMEVAL_BYTES = 16;
const LINGER_BYTES = 8;

/** Options of the level SOL_SOCKET of a socket that crimg has borrowed. */
export function socketOptions(fd: number): SkOptsEntry {
  const int = (name: number): number => intOption(fd, SOL_SOCKET, name) ?? 0;
  const time = (name: number): readonly [seconds: bigint, microseconds: bigint] => {
    const value = getOption(fd, SOL_SOCKET, name, TIMEVAL_BYTES) ?? Buffer.alloc(TIMEVAL_BYTES);
    return [value.readBigInt64LE(0), value.readBigInt64LE(8)];
  };
  const [sendSeconds, sendMicroseconds] = time(OPTION.sendTimeout);
  const [receiveSeconds, receiveMicroseconds] = time(OPTION.receiveTimeout);
  const linger = getOption(fd, SOL_SOCKET, OPTION.linger, LINGER_BYTES) ?? Buffer.alloc(LINGER_BYTES);
  const mark = int(OPTION.mark);
  const { so_oobinline: outOfBand, ...switches } = switchesOf(fd);
  return {
    so_sndbuf: int(OPTION.sendBuffer),
    so_rcvbuf: int(OPTION.receiveBuffer),
    so_snd_tmo_sec: sendSeconds,
    so_snd_tmo_usec: sendMicroseconds,
    so_rcv_tmo_sec: receiveSeconds,
    so_rcv_tmo_usec: receiveMicroseconds,
    ...switches,
    ...(outOfBand === undefined ? {} : { so_oobinline: Number(outOfBand) }),
    so_priority: int(OPTION.priority),
    so_rcvlowat: int(OPTION.receiveLowWater),
    ...(mark === 0 ? {} : { so_mark: mark }),
    so_filter: [],
    ...(linger.readInt32LE(0) === 0 ? {} : { so_linger: linger.readInt32LE(4) }),
    so_buf_lock: int(OPTION.bufferLock),
  };
}

/** Those that the socket has: only some families know SO_PASSCRED. */
function switchesOf(fd: number): { -readonly [K in keyof typeof SWITCHES]?: boolean } {
  const found: { -readonly [K in keyof typeof SWITCHES]?: boolean } = {};
  for (const [key, name] of Object.entries(SWITCHES) as [keyof typeof SWITCHES, number][]) {
    const value = intOption(fd, SOL_SOCKET, name);
    if (value !== undefined) found[key] = value !== 0;
  }
  return found;
}

/** Options of IP. A time to live that is the default of the host is none of its own. */
export function ipOptions(fd: number): IpOptsEntry {
  const int = (name: "freebind" | "pktinfo" | "ttl"): number => inetOption(fd, name);
  const ttl = int("ttl");
  return {
    freebind: int("freebind") !== 0,
    pktinfo: int("pktinfo") !== 0,
    ...(ttl === defaultTtl() ? {} : { ttl }),
  };
}

export function tcpOptions(fd: number): TcpOptsEntry {
  const int = (name: keyof typeof INET_OPTION): number => inetOption(fd, name);
  return {
    cork: int("cork") !== 0,
    nodelay: int("nodelay") !== 0,
    keepcnt: int("keepcnt"),
    keepidle: int("keepidle"),
    keepintvl: int("keepintvl"),
  };
}

/** Whether a packet filter is attached, for which an image has no place. */
export function hasFilter(fd: number): boolean {
  // Without room SO_GET_FILTER gives the number of instructions as its length; extended filters may not be read at all.
  const length = Buffer.alloc(4);
  return attempt(SYS.getsockopt, fd, SOL_SOCKET, OPTION.filter, 0, length) < 0 || length.readUInt32LE() > 0;
}

/** 0 for one that the socket does not have. */
export function inetOption(fd: number, name: keyof typeof INET_OPTION): number {
  const [level, number] = INET_OPTION[name];
  return intOption(fd, level, number) ?? 0;
}

function defaultTtl(): number {
  return Number(fs.readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8"));
}
