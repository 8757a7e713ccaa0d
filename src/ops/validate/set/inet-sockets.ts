import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { SK_FAMILY } from "../../../formats/criu/names.js";
import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import { enumName } from "../../../io/enums.js";
import { AF_INET, AF_INET6 } from "../../../linux/sockets.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";

const MAX_PORT = 0xffff;
/** TCPI_OPT_TIMESTAMPS and TCPI_OPT_WSCALE of linux/tcp.h. */
const OPT_TIMESTAMPS = 1;
const OPT_WSCALE = 4;
const AGAIN = "Undo the edit that did it, or copy the image again from where the set was made.";

/** Rules about inet sockets and TCP connections. */
export const inetSocketRules: readonly Rule<SetContext>[] = [
  {
    id: "INET_FAMILY",
    level: "error",
    about: "An inet socket is IPv4 or IPv6.",
    mend: AGAIN,
    *check(context) {
      for (const { file, entry } of inetSockets(context))
        if (entry.family !== AF_INET && entry.family !== AF_INET6)
          yield {
            at: file.origin,
            what: "no family of an inet socket",
            expected: "INET or INET6",
            found: enumName(SK_FAMILY, entry.family),
          };
    },
  },
  {
    id: "INET_ADDRESS",
    level: "error",
    about: "An IPv4 address has one word, an IPv6 address four.",
    mend: AGAIN,
    *check(context) {
      for (const { file, entry } of inetSockets(context))
        for (const field of ["src_addr", "dst_addr"] as const) {
          const words = entry[field].length;
          // Ancient sets carry four words for IPv4 as well.
          const isRight = words === 4 || (entry.family !== AF_INET6 && words === 1);
          if (!isRight)
            yield {
              at: { ...file.origin, field: `${file.origin.field ?? ""}.${field}` },
              what: "an address of the wrong length",
              expected: entry.family === AF_INET ? "1 word" : "4 words",
              found: `${words} words`,
            };
        }
    },
  },
  {
    id: "INET_PORT",
    level: "error",
    about: "Ports are 0 to 65535.",
    mend: AGAIN,
    *check(context) {
      for (const { file, entry } of inetSockets(context))
        for (const port of [entry.src_port, entry.dst_port])
          if (port > MAX_PORT)
            yield { at: file.origin, what: "no port", expected: "0 to 65535", found: String(port) };
    },
  },
  {
    id: "TCP_QUEUE",
    level: "error",
    about: "What of a connection's outgoing bytes was not yet sent is part of them.",
    mend: AGAIN,
    *check({ set }) {
      for (const id of set.ids(IMAGES.TCP_STREAM)) {
        const stream = set.first(IMAGES.TCP_STREAM, id);
        if (stream?.unsq_len !== undefined && stream.unsq_len > stream.outq_len)
          yield {
            at: { image: fileNameOf(IMAGES.TCP_STREAM, id), record: 0, field: "unsq_len" },
            what: "more unsent bytes than bytes to send",
            expected: `at most ${stream.outq_len}`,
            found: String(stream.unsq_len),
          };
      }
    },
  },
  {
    id: "TCP_OPTIONS",
    level: "error",
    about: "A connection has the values of the options that it negotiated.",
    mend: AGAIN,
    *check({ set }) {
      for (const id of set.ids(IMAGES.TCP_STREAM)) {
        const stream = set.first(IMAGES.TCP_STREAM, id);
        if (stream === undefined) continue;
        const at = { image: fileNameOf(IMAGES.TCP_STREAM, id), record: 0 };
        if ((stream.opt_mask & OPT_TIMESTAMPS) !== 0 && stream.timestamp === undefined)
          yield { at: { ...at, field: "timestamp" }, what: "timestamps are on and their clock is missing" };
        if ((stream.opt_mask & OPT_WSCALE) !== 0 && stream.rcv_wscale === undefined)
          yield {
            at: { ...at, field: "rcv_wscale" },
            what: "window scaling is on and its factor is missing",
          };
      }
    },
  },
];

export function* inetSockets(
  context: SetContext,
): Generator<{ readonly file: OpenFile; readonly entry: InetSkEntry }> {
  for (const file of context.share(filesByType).get("INETSK") ?? [])
    yield { file, entry: file.record as InetSkEntry };
}
