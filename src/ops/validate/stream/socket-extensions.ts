import { RECORDS } from "../../../formats/linux-cr/records.js";
import { S_IFMT, S_IFSOCK } from "../../../linux/files.js";
import { IPPROTO_TCP } from "../../../linux/sockets.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, hex, recordRule, setCommand } from "./record-rule.js";

const MODE_STORED = 1;
/** The thirteen options of SOCKET_EXTRA.so_options, and for each whether it is stored. */
const OPTIONS = 0x1fff_0000_1fffn;
const STORED_SHIFT = 32n;
const OPTION_MASK = 0xffff_ffffn;
/** RFC 7323, 2.3. */
const MOST_SCALE = 14;
const TCP_FLAGS = 15;
/** The kernel's SCM_MAX_FD. */
const MOST_RIGHTS = 253;
const NETLINK = { family: 16, flags: 1 };
const PACKET = { family: 17, flags: 31, lastVersion: 2 };

/** Rules about the extension records of sockets. */
export const socketExtensionRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.SOCKET_EXTRA,
    {
      id: "SOCKET_EXTRA_VALUES",
      level: "error",
      about: "SOCKET_EXTRA has flags and options that there are, and the mode of a socket.",
      mend: AGAIN,
    },
    function* ({ flags, mode, so_options: options, v6_only }) {
      if ((flags & ~MODE_STORED) !== 0)
        yield {
          field: "flags",
          right: flags & MODE_STORED,
          what: "unknown flags",
          expected: `within ${MODE_STORED}`,
          found: hex(flags),
        };
      if ((flags & MODE_STORED) !== 0 && (mode & S_IFMT) !== S_IFSOCK)
        yield {
          field: "mode",
          right: ((mode & ~S_IFMT) | S_IFSOCK) >>> 0,
          what: "a mode that is no socket's",
          expected: "014xxxx (octal)",
          found: `0${mode.toString(8)}`,
        };
      const unknown = (options & ~OPTIONS) !== 0n;
      if (unknown || (options & OPTION_MASK & ~(options >> STORED_SHIFT)) !== 0n)
        yield {
          field: "so_options",
          what: unknown ? "unknown options" : "an option that is set and not stored",
          expected: unknown ? `within ${hex(OPTIONS)}` : "bit 32 + n for every bit n",
          found: hex(options),
        };
      if (v6_only > 1)
        yield { field: "v6_only", what: "no switch", expected: "0 or 1", found: String(v6_only) };
    },
  ),
  {
    id: "SOCKET_INODE",
    level: "error",
    about: "No two sockets have the same inode.",
    mend: AGAIN,
    *check(context) {
      const first = new Map<bigint, number>();
      for (const { index, value } of context.each(RECORDS.SOCKET_EXTRA)) {
        const known = first.get(value.inode);
        if (value.inode === 0n) continue;
        if (known === undefined) first.set(value.inode, index);
        else
          yield {
            at: context.at(index, { field: "inode" }),
            what: "another socket has the inode",
            expected: "an inode of its own",
            found: `${value.inode}, as in record ${known}`,
          };
      }
    },
  },
  {
    id: "SOCKET_FAMILY",
    level: "error",
    about: "Netlink (16) and packet sockets (17), and no others, have the records of their families.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("SOCK")) {
        const socket = context.reader.find(part, RECORDS.SOCKET);
        if (socket === undefined) continue;
        const { family } = socket.value.sock_common;
        for (const [kind, own] of [
          [RECORDS.SOCKET_NETLINK, NETLINK.family],
          [RECORDS.SOCKET_PACKET, PACKET.family],
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
      }
    },
  },
  recordRule(
    RECORDS.SOCKET_NETLINK,
    {
      id: "NETLINK_VALUES",
      level: "error",
      about: "SOCKET_NETLINK has flags that there are.",
      mend: AGAIN,
    },
    function* ({ flags }) {
      if ((flags & ~NETLINK.flags) !== 0)
        yield {
          field: "flags",
          right: flags & NETLINK.flags,
          what: "unknown flags",
          expected: `within ${NETLINK.flags}`,
          found: hex(flags),
        };
    },
  ),
  recordRule(
    RECORDS.SOCKET_PACKET,
    {
      id: "PACKET_VALUES",
      level: "error",
      about: "SOCKET_PACKET has a ring of version 0 to 2 and flags that there are.",
      mend: AGAIN,
    },
    function* ({ version, flags }) {
      if (version > PACKET.lastVersion)
        yield {
          field: "version",
          what: "no layout of a ring",
          expected: `0 to ${PACKET.lastVersion}`,
          found: String(version),
        };
      if ((flags & ~PACKET.flags) !== 0)
        yield {
          field: "flags",
          right: flags & PACKET.flags,
          what: "unknown flags",
          expected: `within ${PACKET.flags}`,
          found: hex(flags),
        };
    },
  ),
  {
    id: "TCP_EXTRA_VALUES",
    level: "error",
    about: "TCP_EXTRA belongs to a TCP socket and has window scales up to 14 and flags that there are.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("SOCK")) {
        const extra = context.reader.find(part, RECORDS.TCP_EXTRA);
        const socket = context.reader.find(part, RECORDS.SOCKET);
        if (extra === undefined || socket === undefined) continue;
        const { index, value } = extra;
        const { protocol } = socket.value.sock;
        if (protocol !== IPPROTO_TCP)
          yield {
            at: context.at(index),
            what: "what only TCP has, of another socket",
            expected: `sock.protocol ${IPPROTO_TCP}`,
            found: String(protocol),
          };
        for (const field of ["snd_wscale", "rcv_wscale"] as const)
          if (value[field] > MOST_SCALE)
            yield {
              at: context.at(index, { field }),
              what: "a window scale that TCP does not have",
              expected: `0 to ${MOST_SCALE}`,
              found: String(value[field]),
            };
        if ((value.flags & ~TCP_FLAGS) !== 0)
          yield {
            at: context.at(index, { field: "flags" }),
            what: "unknown flags",
            expected: `within ${TCP_FLAGS}`,
            found: hex(value.flags),
            fix: setCommand(context, index, "flags", value.flags & TCP_FLAGS),
          };
      }
    },
  },
  recordRule(
    RECORDS.PACKET_RIGHTS,
    {
      id: "PACKET_RIGHTS_FILES",
      level: "error",
      about: `A message carries 1 to ${MOST_RIGHTS} descriptors, each a FILE of the stream.`,
      mend: AGAIN,
    },
    function* ({ nr_files: count }, index, { stream, tree }) {
      if (count < 1 || count > MOST_RIGHTS)
        yield {
          field: "nr_files",
          what: "no number of descriptors",
          expected: `1 to ${MOST_RIGHTS}`,
          found: String(count),
        };
      else
        for (const number of stream.numbers(index))
          if (tree.objects.get(number)?.rule !== "FILE")
            yield { what: `${number} names no FILE`, expected: "a FILE", found: "none" };
    },
  ),
];
