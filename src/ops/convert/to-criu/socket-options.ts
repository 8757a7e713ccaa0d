import type { IpOptsEntry, TcpOptsEntry } from "../../../formats/criu/tables/sk-inet.js";
import { SK_SHUTDOWN, type SkOptsEntry } from "../../../formats/criu/tables/sk-opts.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { IPPROTO_TCP, SOCK_BUF_LOCK_MASK, SOCK_STREAM } from "../../../linux/sockets.js";
import { NSEC_PER_USEC, USEC_PER_SEC } from "../../../linux/time.js";
import type { ToCriu } from "./context.js";

/** Above it a time means that there is no limit: the kernel's longest, whatever the length of its ticks. */
const NO_LIMIT = 1n << 61n;
/** SOCKET_EXTRA.so_options, bit by bit; bit 32 + n says that option n is stored. */
const OPTIONS = [
  "reuseaddr",
  "so_passcred",
  "so_passsec",
  "so_dontroute",
  "so_no_check",
  "so_reuseport",
  "so_broadcast",
  "so_keepalive",
] as const;
const OOBINLINE = 8n;
const INET = { freebind: 9n, pktinfo: 10n, cork: 11n, nodelay: 12n } as const;
const STORED = 32n;
/** Bits of sock.flags in kernels of 2011. */
const SOCK = { oobinline: 2n, keepalive: 3n, broadcast: 6n, dontroute: 13n } as const;
/** Bits of socket.flags. */
const SOCKET = { passcred: 3n, passsec: 4n } as const;

/** Options of a socket as criu has them: from SOCKET_EXTRA, else from what SOCKET says of them. */
export function socketOptions(
  context: Pick<ToCriu, "reader" | "losses">,
  part: Part,
  label: string,
): SkOptsEntry {
  const { reader, losses } = context;
  const { value } = reader.get(part, RECORDS.SOCKET);
  const { sock } = value;
  const extra = reader.find(part, RECORDS.SOCKET_EXTRA)?.value;
  if ((extra?.ifindex ?? value.sock_common.bound_dev_if) !== 0)
    losses.add(label, "the interface that it is bound to", "a stream has its number, a set its name");
  const options = extra === undefined ? ofSocket(value) : extra.so_options;
  const on = (bit: bigint): boolean | undefined => optionAt(options, bit);
  const oobinline = on(OOBINLINE);
  return {
    // The kernel doubles what a program asks for; a stream has the half, criu the whole.
    so_sndbuf: sock.sndbuf * 2,
    so_rcvbuf: sock.rcvbuf * 2,
    ...timeout("snd", sock.sndtimeo),
    ...timeout("rcv", sock.rcvtimeo),
    so_priority: extra?.so_priority ?? sock.priority,
    so_rcvlowat: Number(sock.rcvlowat),
    ...(extra === undefined || extra.so_mark === 0 ? {} : { so_mark: extra.so_mark }),
    ...defined(Object.fromEntries(OPTIONS.map((name, bit) => [name, on(BigInt(bit))]))),
    so_filter: [],
    ...(oobinline === undefined ? {} : { so_oobinline: oobinline ? 1 : 0 }),
    ...(sock.linger.onoff === 0 ? {} : { so_linger: sock.linger.seconds }),
    so_buf_lock: sock.userlocks & SOCK_BUF_LOCK_MASK,
  };
}

/** Options of IP and TCP; those that a stream does not have are left out. */
export function inetOptions(
  { reader }: Pick<ToCriu, "reader">,
  part: Part,
): { readonly ip_opts?: IpOptsEntry; readonly tcp_opts?: TcpOptsEntry } {
  const { protocol, type } = reader.get(part, RECORDS.SOCKET).value.sock;
  const { tcp, uc_ttl: ttl = -1 } = reader.get(part, RECORDS.SOCKET_INET).value;
  const options = reader.find(part, RECORDS.SOCKET_EXTRA)?.value.so_options ?? 0n;
  const on = (bit: bigint): boolean | undefined => optionAt(options, bit);
  const ip = defined({
    freebind: on(INET.freebind),
    pktinfo: on(INET.pktinfo),
    ttl: ttl > 0 ? ttl : undefined,
  });
  const isTcp = protocol === IPPROTO_TCP && type === SOCK_STREAM && tcp !== undefined;
  const own = defined({
    cork: on(INET.cork),
    nodelay: on(INET.nodelay),
    keepcnt: tcp?.keepalive_probes || undefined,
    keepidle: ticks(tcp?.keepalive_time),
    keepintvl: ticks(tcp?.keepalive_intvl),
  });
  return {
    ...(Object.keys(ip).length === 0 ? {} : { ip_opts: ip }),
    ...(isTcp && Object.keys(own).length > 0 ? { tcp_opts: own } : {}),
  };
}

/** Times of TCP are in ticks of the kernel, which are taken for milliseconds; 0 stands for the kernel's own. */
function ticks(time: number | undefined): number | undefined {
  return time === undefined || time < 1000 ? undefined : Math.round(time / 1000);
}

/** Whether an option is on; undefined for one that is not stored. Without bits of what is stored, all are. */
function optionAt(options: bigint, bit: bigint): boolean | undefined {
  const isStored = options >> STORED === 0n ? bit <= OOBINLINE : (options & (1n << (STORED + bit))) !== 0n;
  return isStored ? (options & (1n << bit)) !== 0n : undefined;
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends Readonly<Record<string, unknown>>>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The directions that are closed; undefined for none. */
export function shutdownOf(value: RecordValue<typeof RECORDS.SOCKET>): { readonly shutdown?: number } {
  const { shutdown } = value.sock;
  return shutdown === 0 || ![...SK_SHUTDOWN.values.values()].includes(shutdown) ? {} : { shutdown };
}

function ofSocket({ sock, socket, sock_common: common }: RecordValue<typeof RECORDS.SOCKET>): bigint {
  const bit = (isSet: boolean, at: bigint): bigint => (isSet ? 1n << at : 0n);
  const of = (flags: bigint, from: bigint, to: bigint): bigint => bit((flags & (1n << from)) !== 0n, to);
  return (
    bit(common.reuse !== 0, 0n) |
    of(socket.flags, SOCKET.passcred, 1n) |
    of(socket.flags, SOCKET.passsec, 2n) |
    of(sock.flags, SOCK.dontroute, 3n) |
    bit(sock.no_check !== 0, 4n) |
    of(sock.flags, SOCK.broadcast, 6n) |
    of(sock.flags, SOCK.keepalive, 7n) |
    of(sock.flags, SOCK.oobinline, OOBINLINE)
  );
}

type Timeouts = "so_snd_tmo_sec" | "so_snd_tmo_usec" | "so_rcv_tmo_sec" | "so_rcv_tmo_usec";

function timeout<D extends "snd" | "rcv">(
  direction: D,
  ns: bigint,
): Pick<SkOptsEntry, Extract<Timeouts, `so_${D}_${string}`>> {
  const limit = ns < 0n || ns >= NO_LIMIT ? 0n : ns / NSEC_PER_USEC;
  const both = {
    [`so_${direction}_tmo_sec`]: limit / USEC_PER_SEC,
    [`so_${direction}_tmo_usec`]: limit % USEC_PER_SEC,
  };
  return both as Pick<SkOptsEntry, Extract<Timeouts, `so_${D}_${string}`>>;
}
