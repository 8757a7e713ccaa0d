import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import { AF_INET, AF_INET6 } from "../../../linux/sockets.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { filesByType } from "../references/source.js";

/** Rules about how a set stores inet sockets. */
export const inetSocketRules: readonly Rule<SetContext>[] = [
  {
    id: "INET_ADDRESS",
    level: "error",
    about: "An IPv4 address has one word, an IPv6 address four.",
    fix: "crimg edit --set gives the socket an address of its family.",
    *check(context) {
      for (const { record, origin } of context.share(filesByType).get("INETSK") ?? [])
        for (const field of ["src_addr", "dst_addr"] as const) {
          const entry = record as InetSkEntry;
          const words = entry[field].length;
          // Ancient sets carry four words for IPv4 as well.
          const isRight = words === 4 || (entry.family !== AF_INET6 && words === 1);
          if (!isRight)
            yield {
              at: { ...origin, field: `${origin.field ?? ""}.${field}` },
              what: "an address of the wrong length",
              expected: entry.family === AF_INET ? "1 word" : "4 words",
              found: `${words} words`,
            };
        }
    },
  },
];
