import type { Unsupported } from "../../backend.js";
import { type OpenFileStates, openFileName } from "./descriptions.js";
import { kindOf } from "./file-kind.js";
import { ExternalHolders, holderWords } from "./outside.js";
import type { ProcessState } from "./process.js";
import type { SocketTable } from "./sockets/socket-table.js";
import { ownerOf } from "./stream/owner.js";

/** Open files that reach outside the tree: sockets, pipes and fifos, and those whose signals somebody else gets. */
export function unsupportedFiles(
  processes: readonly ProcessState[],
  files: OpenFileStates,
  sockets: SocketTable,
): Unsupported[] {
  return [
    ...sockets.unsupported.map(({ file, reason }) => ({
      pid: file.pid,
      reason: `${openFileName(file)} is a socket that ${reason}`,
    })),
    ...externalPipes(processes, files),
    ...externalOwners(processes, files),
  ];
}

/** A pipe of which another task has an end: what it writes or reads meanwhile would be lost. One line for each pipe. */
function externalPipes(processes: readonly ProcessState[], { all }: OpenFileStates): Unsupported[] {
  const pipes = new Map(
    all.flatMap((file) => {
      const kind = kindOf(file);
      return kind === "pipe" || kind === "fifo" ? [[file.link, { kind, file }] as const] : [];
    }),
  );
  const external = new ExternalHolders(pipes.keys(), new Set(processes.map(({ frozen }) => frozen.stat.pid)));
  return [...pipes].flatMap(([link, { kind, file }]) => {
    const holder = external.holder(link);
    const reason = `${openFileName(file)} is the ${kind} ${link}, which is also open outside the tree${holderWords(holder)}`;
    return holder === undefined ? [] : [{ pid: file.pid, reason }];
  });
}

/** SIGIO to a task that is not in the image could not be directed to it again. */
function externalOwners(processes: readonly ProcessState[], { all }: OpenFileStates): Unsupported[] {
  const ids = new Set(
    processes.flatMap(({ frozen: { stat }, threads }) => [stat.pgid, ...threads.map(({ tid }) => tid)]),
  );
  return all.flatMap((file) => {
    const { pid } = ownerOf(file);
    const reason = `${openFileName(file)} (${file.link}) sends its signals to ${pid}, which is outside the tree`;
    return pid === 0 || ids.has(pid) ? [] : [{ pid: file.pid, reason }];
  });
}
