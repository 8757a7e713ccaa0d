import { RECORDS } from "../../../formats/linux-cr/records.js";
import { hex } from "../../../io/hex.js";
import {
  AF_NETLINK,
  AF_PACKET,
  AF_UNIX,
  IPPROTO_TCP,
  SOCK_DEAD,
  SOCKADDR_UN_BYTES,
  SS_CONNECTED,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule, SET_FIELD, setCommand } from "./record-rule.js";

/** States of a unix socket that pass. */
const UNSETTLED: ReadonlySet<number> = new Set([0, 2, 4]);
const STORED_SHIFT = 32n;
/** The thirteen options of SOCKET_EXTRA.so_options, and for each whether it is stored. */
const OPTIONS = 0x1fff_0000_1fffn;
const OPTION_MASK = 0xffff_ffffn;

/** Rules about how a stream stores sockets; those about what they hold are in `queues.ts`. */
export const socketRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.SOCKET,
    {
      id: "SOCKET_STATE",
      level: "error",
      about: "A unix socket is in no state that passes, and what is connected is established.",
      fix: SET_FIELD,
    },
    function* ({ socket, sock_common: common, sock }) {
      if (common.family !== AF_UNIX) return;
      if (UNSETTLED.has(socket.state) && (sock.flags & SOCK_DEAD) === 0n)
        yield {
          field: "socket.state",
          what: "a unix socket in a state that passes",
          expected: "1 or 3",
          found: String(socket.state),
        };
      else if (socket.state === SS_CONNECTED && sock.state !== TCP_ESTABLISHED)
        yield {
          field: "sock.state",
          right: TCP_ESTABLISHED,
          what: "a connected socket whose connection is not established",
          expected: String(TCP_ESTABLISHED),
          found: String(sock.state),
        };
    },
  ),
  {
    id: "SOCKET_NUMBER",
    level: "error",
    about: "A unix socket gives its own number.",
    fix: SET_FIELD,
    *check(context) {
      for (const part of context.reader.objects("SOCK")) {
        const unix = context.reader.find(part, RECORDS.SOCKET_UNIX);
        if (unix === undefined || unix.value.this === part.objref) continue;
        yield {
          at: context.at(unix.index, { field: "this" }),
          what: "a socket that gives another number than its own",
          expected: String(part.objref),
          found: String(unix.value.this),
          fix: setCommand(context, unix.index, "this", part.objref ?? 0),
        };
      }
    },
  },
  recordRule(
    RECORDS.SOCKET_UNIX,
    {
      id: "SOCKET_NAME",
      level: "error",
      about: "The addresses of a unix socket begin with its family.",
      fix: SET_FIELD,
    },
    function* ({ laddr_len, raddr_len, laddr, raddr }, _, { stream }) {
      const isLittle = stream.byteOrder === "little-endian";
      for (const [field, length, address] of [
        ["laddr", laddr_len, laddr],
        ["raddr", raddr_len, raddr],
      ] as const) {
        if (length >= 2 && length <= SOCKADDR_UN_BYTES) {
          const family = isLittle ? address.readUInt16LE() : address.readUInt16BE();
          if (family !== AF_UNIX)
            yield {
              field,
              what: "an address of another family",
              expected: String(AF_UNIX),
              found: String(family),
            };
        }
      }
    },
  ),
  {
    id: "SOCKET_QUEUES",
    level: "error",
    about:
      "Each socket that neither listens nor is dead has its two queues at the end of the descriptor table.",
    fix: "crimg edit --drop-fd PID:FD closes the descriptors of the socket.",
    *check(context) {
      if (context.tree.problem !== undefined) return;
      for (const part of context.reader.objects("SOCK")) {
        const socket = context.reader.find(part, RECORDS.SOCKET);
        if (socket === undefined) continue;
        const { state, flags } = socket.value.sock;
        if (state !== TCP_LISTEN && (flags & SOCK_DEAD) === 0n && part.deferred === undefined)
          yield {
            at: context.at(socket.index),
            what: "the queues of the socket are missing",
            expected: "two SOCKET_QUEUEs",
          };
      }
    },
  },
  recordRule(
    RECORDS.SOCKET_EXTRA,
    {
      id: "SOCKET_SWITCHES",
      level: "error",
      about: "The options of SOCKET_EXTRA are ones that there are, and one that is on is stored.",
      fix: SET_FIELD,
    },
    function* ({ so_options: options }) {
      const unknown = (options & ~OPTIONS) !== 0n;
      const right = options & OPTIONS & ((options >> STORED_SHIFT) | ~OPTION_MASK);
      if (right !== options)
        yield {
          field: "so_options",
          right,
          what: unknown ? "unknown options" : "an option that is set and not stored",
          expected: unknown ? `within ${hex(OPTIONS)}` : "bit 32 + n for every bit n",
          found: hex(options),
        };
    },
  ),
  {
    id: "SOCKET_FAMILY",
    level: "error",
    about:
      "Netlink (16) and packet sockets (17), and no others, have the records of their families; TCP_EXTRA belongs to TCP.",
    fix: "crimg edit --set gives the socket the family of its records; --drop-fd PID:FD closes its descriptors.",
    *check(context) {
      for (const part of context.reader.objects("SOCK")) {
        const socket = context.reader.find(part, RECORDS.SOCKET);
        if (socket === undefined) continue;
        const { family } = socket.value.sock_common;
        const { protocol } = socket.value.sock;
        for (const [kind, own] of [
          [RECORDS.SOCKET_NETLINK, AF_NETLINK],
          [RECORDS.SOCKET_PACKET, AF_PACKET],
        ] as const) {
          const index = context.reader.index(part, kind);
          if ((index !== undefined) !== (family === own))
            yield {
              at: context.at(index ?? socket.index),
              what: index === undefined ? `the ${kind.name} is missing` : "a record of another family",
              expected: index === undefined ? kind.name : `sock_common.family ${own}`,
              found: String(family),
            };
        }
        const tcp = context.reader.index(part, RECORDS.TCP_EXTRA);
        if (tcp !== undefined && protocol !== IPPROTO_TCP)
          yield {
            at: context.at(tcp),
            what: "what only TCP has, of another socket",
            expected: `sock.protocol ${IPPROTO_TCP}`,
            found: String(protocol),
          };
      }
    },
  },
];
