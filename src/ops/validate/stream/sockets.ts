import { RECORDS } from "../../../formats/linux-cr/records.js";
import {
  AF_UNIX,
  SOCK_DEAD,
  SOCK_DGRAM,
  SS_CONNECTED,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, recordRule, setCommand } from "./record-rule.js";

const LAST_SOCKET_STATE = 4;
const UNSETTLED: ReadonlySet<number> = new Set([0, 2, 4]);
const LAST_STATE = 11;
const LAST_SHUTDOWN = 3;
const LAST_LOCKS = 15;
const LAST_ERROR = 4095;
const UNIX_ADDRESS_BYTES = 110;
const INET_ADDRESS_BYTES = 16;

/** Rules about sockets; those about what they hold are in `queues.ts`. */
export const socketRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.SOCKET,
    {
      id: "SOCKET_STATE",
      level: "error",
      about:
        "A socket is in a state that there is, a unix socket in none that passes, and what is connected is established.",
      mend: AGAIN,
    },
    function* ({ socket, sock_common: common, sock }) {
      if (socket.state > LAST_SOCKET_STATE)
        yield {
          field: "socket.state",
          what: "no state of a socket",
          expected: `0 to ${LAST_SOCKET_STATE}`,
          found: String(socket.state),
        };
      else if (common.family === AF_UNIX && UNSETTLED.has(socket.state) && (sock.flags & SOCK_DEAD) === 0n)
        yield {
          field: "socket.state",
          what: "a unix socket in a state that passes",
          expected: "1 or 3",
          found: String(socket.state),
        };
      if (sock.state < TCP_ESTABLISHED || sock.state > LAST_STATE)
        yield {
          field: "sock.state",
          what: "no state of a connection",
          expected: `1 to ${LAST_STATE}`,
          found: String(sock.state),
        };
      else if (socket.state === SS_CONNECTED && common.family === AF_UNIX && sock.state !== TCP_ESTABLISHED)
        yield {
          field: "sock.state",
          what: "a connected socket whose connection is not established",
          expected: String(TCP_ESTABLISHED),
          found: String(sock.state),
        };
    },
  ),
  recordRule(
    RECORDS.SOCKET,
    {
      id: "SOCKET_VALUES",
      level: "error",
      about:
        "What was shut down (0 to 3), the locked options (0 to 15) and the errors of a socket are in their ranges.",
      mend: AGAIN,
    },
    function* ({ sock }) {
      const limits = [
        ["shutdown", LAST_SHUTDOWN],
        ["userlocks", LAST_LOCKS],
        ["err", LAST_ERROR],
        ["err_soft", LAST_ERROR],
      ] as const;
      for (const [field, most] of limits)
        if (sock[field] > most)
          yield {
            field: `sock.${field}`,
            what: "a value out of its range",
            expected: `0 to ${most}`,
            found: String(sock[field]),
          };
    },
  ),
  {
    id: "SOCKET_PEER",
    level: "error",
    about: "The two ends of a connection name each other, and a unix socket names itself.",
    mend: AGAIN,
    *check(context) {
      const peers = new Map<number, number>();
      for (const part of context.reader.objects("SOCK")) {
        const unix = context.reader.find(part, RECORDS.SOCKET_UNIX);
        if (unix !== undefined && part.objref !== undefined) peers.set(part.objref, unix.value.peer);
      }
      for (const part of context.reader.objects("SOCK")) {
        const unix = context.reader.find(part, RECORDS.SOCKET_UNIX);
        const socket = context.reader.find(part, RECORDS.SOCKET);
        if (unix === undefined || socket === undefined) continue;
        const { this: own, peer } = unix.value;
        if (own !== part.objref)
          yield {
            at: context.at(unix.index, { field: "this" }),
            what: "a socket that gives another number than its own",
            expected: String(part.objref),
            found: String(own),
            fix: setCommand(context, unix.index, "this", part.objref ?? 0),
          };
        const back = peers.get(peer);
        if (
          socket.value.sock.type !== SOCK_DGRAM &&
          peer !== 0 &&
          back !== undefined &&
          back !== part.objref &&
          back !== 0
        )
          yield {
            at: context.at(unix.index, { field: "peer" }),
            what: "the other end is connected elsewhere",
            expected: `${peer} to name ${part.objref}`,
            found: String(back),
          };
      }
    },
  },
  recordRule(
    RECORDS.SOCKET_UNIX,
    {
      id: "SOCKET_NAME",
      level: "error",
      about: "The names of a unix socket have at most 110 bytes, and begin with the family.",
      mend: AGAIN,
    },
    function* ({ laddr_len, raddr_len, laddr, raddr }, _, { stream }) {
      const isLittle = stream.byteOrder === "little-endian";
      for (const [field, length, address] of [
        ["laddr", laddr_len, laddr],
        ["raddr", raddr_len, raddr],
      ] as const) {
        if (length > UNIX_ADDRESS_BYTES)
          yield {
            field: `${field}_len`,
            what: "a name that is too long",
            expected: `at most ${UNIX_ADDRESS_BYTES}`,
            found: String(length),
          };
        else if (length >= 2) {
          const family = isLittle ? address.readUInt16LE() : address.readUInt16BE();
          if (family !== AF_UNIX)
            yield {
              field,
              what: "a name of another family",
              expected: String(AF_UNIX),
              found: String(family),
            };
        }
      }
    },
  ),
  recordRule(
    RECORDS.SOCKET_INET,
    {
      id: "SOCKET_ADDRESS",
      level: "error",
      about: "The addresses of an inet socket have at most 16 bytes.",
      mend: AGAIN,
    },
    function* ({ laddr_len, raddr_len }) {
      for (const [field, length] of [
        ["laddr_len", laddr_len],
        ["raddr_len", raddr_len],
      ] as const)
        if (length > INET_ADDRESS_BYTES)
          yield {
            field,
            what: "an address that is too long",
            expected: `at most ${INET_ADDRESS_BYTES}`,
            found: String(length),
          };
    },
  ),
  {
    id: "SOCKET_QUEUES",
    level: "error",
    about:
      "Each socket that neither listens nor is dead has its two queues at the end of the descriptor table.",
    mend: AGAIN,
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
];
