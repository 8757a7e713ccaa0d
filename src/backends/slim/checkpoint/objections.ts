import type { Unsupported } from "../../backend.js";
import { type OpenFileStates, openFileName } from "./descriptions.js";
import { isSaved } from "./file-kind.js";
import { unsupportedFiles } from "./file-objections.js";
import type { ProcessState } from "./process.js";
import { unsupportedState } from "./process-objections.js";
import type { SocketTable } from "./sockets/socket-table.js";
import { Terminals } from "./terminals.js";
import { Watches } from "./watches.js";

/** What this engine cannot put into an image, object by object; empty when it can take the whole tree. */
export function unsupportedInTree(
  processes: readonly ProcessState[],
  files: OpenFileStates,
  sockets: SocketTable,
): Unsupported[] {
  return [
    ...unsupportedState(processes),
    ...files.all.flatMap((file) =>
      !isSaved(file)
        ? {
            pid: file.pid,
            reason: `${openFileName(file)} is ${file.link}, which this engine cannot save`,
          }
        : [],
    ),
    ...unsupportedFiles(processes, files, sockets),
    ...new Terminals(processes, files).unsupported(),
    ...new Watches(processes, files).unsupported(),
  ];
}
