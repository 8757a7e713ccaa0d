import type { SkOptsEntry } from "../../../formats/criu/tables/sk-opts.js";
import { SK_SHUTDOWN } from "../../../formats/criu/tables/sk-opts.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { SS_CONNECTED, SS_UNCONNECTED, TCP_ESTABLISHED, TCP_LISTEN } from "../../../linux/sockets.js";
import type { Context } from "./context.js";

/** Where records of sockets go, and what they have no place for. */
export type SocketContext = Pick<Context, "writer" | "losses">;

/** What the records of all families say of a socket. */
export interface SocketFacts {
  /** What losses call it: asked for when something is lost. */
  readonly label: string;
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** TCP_ numbers, which all families use. */
  readonly state: number;
  readonly backlog: number;
  readonly shutdown: number | undefined;
  readonly opts: SkOptsEntry;
}

/** Bits of the kernel of that time: of struct socket, and of struct sock. */
const SOCKET_FLAGS = { so_passcred: 8n, so_passsec: 0x10n } as const;
const SOCK_FLAGS = {
  so_oobinline: 4n,
  so_keepalive: 8n,
  so_linger: 0x10n,
  so_broadcast: 0x40n,
  so_dontroute: 0x2000n,
} as const;

/** Options that are on or off, by their bit in SOCKET_EXTRA.so_options. */
const OPTIONS = [
  "reuseaddr",
  "so_passcred",
  "so_passsec",
  "so_dontroute",
  "so_no_check",
  "so_reuseport",
  "so_broadcast",
  "so_keepalive",
  "so_oobinline",
] as const satisfies readonly (keyof SkOptsEntry)[];

/** Further options of internet sockets, by their bit. */
export const INET_OPTION = { freebind: 9n, pktinfo: 10n, cork: 11n, nodelay: 12n } as const;

const STORED = 32n;
const MOST_BACKLOG = 32767;

/** The SOCKET record; SOCKET_UNIX or SOCKET_INET must follow. */
export function writeSocketRecord(context: SocketContext, facts: SocketFacts): void {
  const { opts, state } = facts;
  const isListening = state === TCP_LISTEN;
  if (isListening && facts.backlog > MOST_BACKLOG)
    context.losses.add(
      facts.label,
      `its backlog of ${facts.backlog}`,
      `a stream holds ${MOST_BACKLOG} at most`,
    );
  context.writer.record(RECORDS.SOCKET, {
    has_buffers: isListening ? 0 : 1,
    socket: {
      flags: bitsOf(opts, SOCKET_FLAGS),
      state: state === TCP_ESTABLISHED ? SS_CONNECTED : SS_UNCONNECTED,
    },
    sock_common: { reuse: opts.reuseaddr === true ? 1 : 0, family: facts.family, state },
    sock: {
      rcvlowat: BigInt(opts.so_rcvlowat ?? 1),
      flags: bitsOf(opts, SOCK_FLAGS),
      rcvtimeo: nanoseconds(opts.so_rcv_tmo_sec, opts.so_rcv_tmo_usec),
      sndtimeo: nanoseconds(opts.so_snd_tmo_sec, opts.so_snd_tmo_usec),
      priority: opts.so_priority ?? 0,
      // The kernel doubles what setsockopt(2) is given.
      rcvbuf: Math.ceil(opts.so_rcvbuf / 2),
      sndbuf: Math.ceil(opts.so_sndbuf / 2),
      type: facts.type,
      backlog: Math.min(facts.backlog, MOST_BACKLOG),
      protocol: facts.protocol,
      state,
      shutdown: facts.shutdown ?? SK_SHUTDOWN.values.get("NONE") ?? 0,
      userlocks: opts.so_buf_lock ?? 0,
      no_check: opts.so_no_check === true ? 1 : 0,
      linger: { onoff: opts.so_linger === undefined ? 0 : 1, seconds: opts.so_linger ?? 0 },
    },
  });
  if (opts.so_bound_dev !== undefined && opts.so_bound_dev !== "")
    context.losses.add(
      facts.label,
      `that it is bound to the interface ${opts.so_bound_dev}`,
      "a stream names interfaces by numbers, which the set does not have",
    );
  if (opts.so_filter.length > 0)
    context.losses.add(facts.label, "its packet filter", "a stream has no place for filters of sockets");
}

/** What SOCKET_EXTRA says besides the options. */
export interface ExtraFacts {
  readonly ino: number;
  readonly perms?: { readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  readonly v6only?: boolean | undefined;
  /** Index of the interface that it is bound to. */
  readonly ifindex?: number;
  /** Bits of further options, with those that say that they are stored. */
  readonly options?: bigint;
}

export function writeSocketExtra(context: SocketContext, opts: SkOptsEntry, extra: ExtraFacts): void {
  const { perms } = extra;
  let options = extra.options ?? 0n;
  for (const [bit, name] of OPTIONS.entries()) options |= optionBits(BigInt(bit), opts[name]);
  context.writer.record(RECORDS.SOCKET_EXTRA, {
    inode: BigInt(extra.ino),
    mode: perms?.mode ?? 0,
    uid: perms?.uid ?? 0,
    gid: perms?.gid ?? 0,
    flags: perms === undefined ? 0 : 1,
    so_options: options,
    v6_only: extra.v6only === true ? 1 : 0,
    ifindex: extra.ifindex ?? 0,
    so_mark: opts.so_mark ?? 0,
    so_priority: opts.so_priority ?? 0,
  });
}

/** An option of SOCKET_EXTRA: bit n when it is on, bit 32 + n when it is stored. */
export function optionBits(bit: bigint, value: boolean | number | undefined): bigint {
  if (value === undefined) return 0n;
  return (
    (1n << (STORED + bit)) | (value === true || (typeof value === "number" && value > 0) ? 1n << bit : 0n)
  );
}

function bitsOf<K extends keyof SkOptsEntry>(opts: SkOptsEntry, bits: Readonly<Record<K, bigint>>): bigint {
  let sum = 0n;
  for (const [name, bit] of Object.entries(bits) as [K, bigint][]) {
    const value = opts[name];
    // A time to linger of 0 s is one, too.
    if (
      name === "so_linger" ? value !== undefined : value === true || (typeof value === "number" && value > 0)
    )
      sum |= bit;
  }
  return sum;
}

function nanoseconds(seconds: bigint, microseconds: bigint): bigint {
  return seconds * 1_000_000_000n + microseconds * 1000n;
}
