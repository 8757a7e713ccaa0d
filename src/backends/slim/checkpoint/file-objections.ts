import type { Objection } from "../../backend.js";
import { type Descriptions, whose } from "./descriptions.js";
import { kindOf } from "./file-kind.js";
import { holderWords, Outside } from "./outside.js";
import type { ProcessState } from "./process.js";
import type { SocketTable } from "./sockets/socket-table.js";
import { ownerOf } from "./stream/owner.js";

/** Open files that reach outside the tree: sockets, pipes and fifos, and those whose signals somebody else gets. */
export function fileObjections(
  processes: readonly ProcessState[],
  descriptions: Descriptions,
  sockets: SocketTable,
): Objection[] {
  return [
    ...sockets.refusals.map(({ description, reason }) => ({
      pid: description.pid,
      reason: `${whose(description)} is a socket that ${reason}`,
    })),
    ...pipesOutside(processes, descriptions),
    ...ownersOutside(processes, descriptions),
  ];
}

/** A pipe of which another task has an end: what it writes or reads meanwhile would be lost. One line for each pipe. */
function pipesOutside(processes: readonly ProcessState[], { all }: Descriptions): Objection[] {
  const pipes = new Map(
    all.flatMap((description) => {
      const kind = kindOf(description);
      return kind === "pipe" || kind === "fifo" ? [[description.link, { kind, description }] as const] : [];
    }),
  );
  const outside = new Outside(pipes.keys(), new Set(processes.map(({ frozen }) => frozen.stat.pid)));
  return [...pipes].flatMap(([link, { kind, description }]) => {
    const holder = outside.holder(link);
    const reason = `${whose(description)} is the ${kind} ${link}, which is also open outside the tree${holderWords(holder)}`;
    return holder === undefined ? [] : [{ pid: description.pid, reason }];
  });
}

/** SIGIO to a task that is not in the image could not be directed to it again. */
function ownersOutside(processes: readonly ProcessState[], { all }: Descriptions): Objection[] {
  const ids = new Set(
    processes.flatMap(({ frozen: { stat }, threads }) => [stat.pgid, ...threads.map(({ tid }) => tid)]),
  );
  return all.flatMap((description) => {
    const { pid } = ownerOf(description);
    const reason = `${whose(description)} (${description.link}) sends its signals to ${pid}, which is outside the tree`;
    return pid === 0 || ids.has(pid) ? [] : [{ pid: description.pid, reason }];
  });
}
