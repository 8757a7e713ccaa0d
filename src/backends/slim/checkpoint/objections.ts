import type { Objection } from "../../backend.js";
import { type Descriptions, whose } from "./descriptions.js";
import { isSaved } from "./file-kind.js";
import { fileObjections } from "./file-objections.js";
import type { ProcessState } from "./process.js";
import { processObjections } from "./process-objections.js";
import type { SocketTable } from "./sockets/socket-table.js";
import { Terminals } from "./terminals.js";
import { Watches } from "./watches.js";

/** What this engine cannot put into an image, object by object; empty when it can take the whole tree. */
export function objections(
  processes: readonly ProcessState[],
  descriptions: Descriptions,
  sockets: SocketTable,
): Objection[] {
  return [
    ...processObjections(processes),
    ...descriptions.all.flatMap((description) =>
      !isSaved(description)
        ? {
            pid: description.pid,
            reason: `${whose(description)} is ${description.link}, which this engine cannot save`,
          }
        : [],
    ),
    ...fileObjections(processes, descriptions, sockets),
    ...new Terminals(processes, descriptions).objections(),
    ...new Watches(processes, descriptions).objections(),
  ];
}
