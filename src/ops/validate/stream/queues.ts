import type { Part } from "../../../formats/linux-cr/part.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { AF_UNIX } from "../../../linux/sockets.js";
import type { Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { recordRule, SET_FIELD, setCommand } from "./record-rule.js";

/** Rules about what waits in sockets. */
export const queueRules: readonly Rule<StreamContext>[] = [
  {
    id: "QUEUE_BYTES",
    level: "error",
    about:
      "A queue holds as many bytes as it says; the second one of a unix socket, of what is to be sent, is empty.",
    fix: SET_FIELD,
    *check(context) {
      for (const [queue, nth, isUnix] of queues(context)) {
        const [record] = queue.records;
        const value = context.valueAt(record, RECORDS.SOCKET_QUEUE);
        if (record === undefined || value === undefined) continue;
        const sizes = queue.parts.map(
          ({ records }) => context.valueAt(records[0], RECORDS.SOCKET_BUFFER)?.skb_len,
        );
        // Header sets before db94f5e store no lengths.
        if (sizes.some((size) => size === undefined)) continue;
        const sum = sizes.reduce<number>((total, size) => total + (size ?? 0), 0);
        if (sum !== value.total_bytes)
          yield {
            at: context.at(record, { field: "total_bytes" }),
            what: "the messages have another number of bytes in all",
            expected: String(value.total_bytes),
            found: String(sum),
            fix: setCommand(context, record, "total_bytes", sum),
          };
        if (isUnix && nth === 1 && value.skb_count !== 0)
          yield {
            at: context.at(record, { field: "skb_count" }),
            what: "a unix socket with messages that are yet to be sent",
            expected: "0",
            found: String(value.skb_count),
          };
      }
    },
  },
  recordRule(
    RECORDS.SOCKET_BUFFER,
    {
      id: "PACKET_LENGTHS",
      level: "error",
      about: "The lengths and offsets of a message agree with one another and with its BUFFER.",
      fix: SET_FIELD,
    },
    function* (packet, index, context) {
      const { lin_len: linear, frg_len: inPages, skb_len: length, data_offset: start } = packet;
      if (linear === undefined || inPages === undefined || length === undefined || start === undefined)
        return;
      const { mac_header = 0, mac_len = 0, network_header = 0, transport_header = 0 } = packet;
      if (start > linear)
        yield {
          field: "data_offset",
          what: "the data begin behind the BUFFER",
          expected: `at most ${linear}`,
          found: String(start),
        };
      else if (length !== linear - start + inPages)
        yield {
          field: "skb_len",
          what: "the parts of the message have another length in all",
          expected: String(linear - start + inPages),
          found: String(length),
        };
      if (mac_header + mac_len !== network_header || network_header > linear || transport_header > linear)
        yield {
          field: "network_header",
          what: "headers that do not lie one behind the other in the BUFFER",
          expected: `${mac_header + mac_len}, at most ${linear}`,
          found: `${network_header}, ${transport_header}`,
        };
      const buffer = context.bufferAfter(index);
      if (buffer !== undefined && context.stream.payload(buffer).size !== linear)
        yield {
          field: "lin_len",
          right: context.stream.payload(buffer).size,
          what: "the BUFFER has another length",
          expected: `${linear} bytes`,
          found: `${context.stream.payload(buffer).size} bytes`,
        };
    },
  ),
  recordRule(
    RECORDS.SOCKET_FRAG,
    {
      id: "FRAGMENT_RANGE",
      level: "error",
      about: "A fragment lies inside of its page.",
      fix: SET_FIELD,
    },
    function* ({ size, offset }, index, { stream }) {
      const page = stream.rawPage(index)?.size ?? PAGE_SIZE;
      if (size > page || offset >= page || size + offset > page)
        yield {
          what: "a fragment that leaves its page",
          expected: `within ${page} bytes`,
          found: `${size} bytes at ${offset}`,
        };
    },
  ),
  {
    id: "UNIX_FRAGMENTS",
    level: "error",
    about: "Messages of unix sockets have no fragments: the kernel refuses them.",
    fix: "crimg edit --drop-fd PID:FD closes the descriptors of the socket.",
    *check(context) {
      for (const [queue, , isUnix] of queues(context))
        for (const { records } of isUnix ? queue.parts : []) {
          const [record] = records;
          const count = context.valueAt(record, RECORDS.SOCKET_BUFFER)?.nr_frags ?? 0;
          if (record !== undefined && count > 0)
            yield {
              at: context.at(record, { field: "nr_frags" }),
              what: "a message of a unix socket with fragments",
              expected: "0",
              found: String(count),
            };
        }
    },
  },
];

/** Every queue with its place, received or to be sent, and whether its socket is a unix socket. */
function* queues(context: StreamContext): Generator<[queue: Part, nth: number, isUnix: boolean]> {
  for (const part of context.reader.objects("SOCK")) {
    const family = context.reader.find(part, RECORDS.SOCKET)?.value.sock_common.family;
    for (const [nth, queue] of (part.deferred?.parts ?? []).entries()) yield [queue, nth, family === AF_UNIX];
  }
}
