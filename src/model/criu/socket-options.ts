import type { InetSkEntry, TcpOptsEntry } from "../../formats/criu/tables/sk-inet.js";
import { SK_SHUTDOWN, type SkOptsEntry } from "../../formats/criu/tables/sk-opts.js";
import { NSEC_PER_USEC, USEC_PER_SEC } from "../../linux/time.js";
import type { Socket, SocketOptions, Switch } from "../socket.js";

/** sk_opts_entry holds these switches, so_oobinline as a number. */
const SWITCH_FIELDS = {
  reuseaddr: "SO_REUSEADDR",
  so_passcred: "SO_PASSCRED",
  so_passsec: "SO_PASSSEC",
  so_dontroute: "SO_DONTROUTE",
  so_no_check: "SO_NO_CHECK",
  so_reuseport: "SO_REUSEPORT",
  so_broadcast: "SO_BROADCAST",
  so_keepalive: "SO_KEEPALIVE",
} as const satisfies Partial<Record<keyof SkOptsEntry, Switch>>;
const SWITCH_FIELD_NAMES = Object.keys(SWITCH_FIELDS) as (keyof typeof SWITCH_FIELDS)[];

/** `inet`: an entry of an internet socket has more. */
export function decodeOptions(
  opts: SkOptsEntry,
  inet: Pick<InetSkEntry, "ip_opts" | "v6only"> = {},
  tcp?: TcpOptsEntry | undefined,
): SocketOptions {
  const { ip_opts: ip, v6only } = inet;
  const switches: Partial<Record<Switch, boolean>> = {};
  const note = (name: Switch, isOn: boolean | undefined): void => {
    if (isOn !== undefined) switches[name] = isOn;
  };
  for (const field of SWITCH_FIELD_NAMES) note(SWITCH_FIELDS[field], opts[field]);
  note("SO_OOBINLINE", opts.so_oobinline === undefined ? undefined : opts.so_oobinline > 0);
  note("IP_FREEBIND", ip?.freebind);
  note("IP_PKTINFO", ip?.pktinfo);
  note("TCP_CORK", tcp?.cork);
  note("TCP_NODELAY", tcp?.nodelay);
  note("IPV6_V6ONLY", v6only);
  return {
    switches,
    sendBuffer: opts.so_sndbuf,
    receiveBuffer: opts.so_rcvbuf,
    lockedBuffers: opts.so_buf_lock,
    sendTimeout: nanoseconds(opts.so_snd_tmo_sec, opts.so_snd_tmo_usec),
    receiveTimeout: nanoseconds(opts.so_rcv_tmo_sec, opts.so_rcv_tmo_usec),
    priority: opts.so_priority,
    mark: opts.so_mark,
    receiveLowat: opts.so_rcvlowat,
    linger: opts.so_linger,
    ttl: ip?.ttl,
    keepIdle: tcp?.keepidle,
    keepInterval: tcp?.keepintvl,
    keepCount: tcp?.keepcnt,
    device: opts.so_bound_dev === "" ? undefined : opts.so_bound_dev,
    interfaceIndex: 0,
    filter: opts.so_filter,
  };
}

export function encodeOptions(options: SocketOptions): SkOptsEntry {
  const { switches, priority, mark, receiveLowat, linger, lockedBuffers, device } = options;
  const oobinline = switches.SO_OOBINLINE;
  const send = microseconds(options.sendTimeout);
  const receive = microseconds(options.receiveTimeout);
  return {
    so_sndbuf: options.sendBuffer,
    so_rcvbuf: options.receiveBuffer,
    so_snd_tmo_sec: send / USEC_PER_SEC,
    so_snd_tmo_usec: send % USEC_PER_SEC,
    so_rcv_tmo_sec: receive / USEC_PER_SEC,
    so_rcv_tmo_usec: receive % USEC_PER_SEC,
    ...stored({ so_priority: priority, so_mark: mark, so_rcvlowat: receiveLowat }),
    ...stored(Object.fromEntries(SWITCH_FIELD_NAMES.map((field) => [field, switches[SWITCH_FIELDS[field]]]))),
    ...stored({ so_bound_dev: device, so_linger: linger, so_buf_lock: lockedBuffers }),
    so_filter: [...options.filter],
    ...stored({ so_oobinline: oobinline === undefined ? undefined : oobinline ? 1 : 0 }),
  };
}

/** Options of IP and TCP; a message without any is left out. */
export function encodeInetOptions({
  type,
  protocol,
  options,
}: Pick<Socket, "type" | "protocol" | "options">): Pick<InetSkEntry, "ip_opts" | "tcp_opts"> {
  const { switches, ttl, keepCount, keepIdle, keepInterval } = options;
  const ip = stored({ freebind: switches.IP_FREEBIND, pktinfo: switches.IP_PKTINFO, ttl });
  const tcp = stored({
    cork: switches.TCP_CORK,
    nodelay: switches.TCP_NODELAY,
    keepcnt: keepCount,
    keepidle: keepIdle,
    keepintvl: keepInterval,
  });
  const isTcp = protocol === "TCP" && type === "STREAM";
  return {
    ...(Object.keys(ip).length === 0 ? {} : { ip_opts: ip }),
    ...(isTcp && Object.keys(tcp).length > 0 ? { tcp_opts: tcp } : {}),
  };
}

export function encodeShutdown({ shutdown }: Socket): { readonly shutdown?: number } {
  return shutdown === undefined || shutdown === 0 || !SK_SHUTDOWN.names.has(shutdown) ? {} : { shutdown };
}

type Stored<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

export function stored<T extends Readonly<Record<string, unknown>>>(values: T): Stored<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Stored<T>;
}

function nanoseconds(seconds: bigint, microseconds: bigint): bigint {
  return (seconds * USEC_PER_SEC + microseconds) * NSEC_PER_USEC;
}

function microseconds(ns: bigint): bigint {
  return ns / NSEC_PER_USEC;
}
