import { createHash, type Hash } from "node:crypto";
import type { Socket } from "../../../model/checkpoint.js";
import type { Section } from "../section.js";

const CHUNK = 64 * 1024;

/** SHA-256 of the receive queue; includes message boundaries if there are any. */
function digestOf({ protocol, waiting }: Socket): string | undefined {
  // Created at the first message: a hash takes kilobytes outside of the heap, and most queues are empty.
  let hash: Hash | undefined;
  let isEmpty = true;
  for (const { size, read } of waiting()) {
    hash ??= createHash("sha256");
    if (protocol !== "TCP") hash.update(`${size}:`);
    for (let done = 0; done < size; done += CHUNK) hash.update(read(done, Math.min(CHUNK, size - done)));
    isEmpty &&= size === 0;
  }
  return isEmpty ? undefined : hash?.digest("hex");
}

export const SOCKETS: Section = {
  name: "sockets",
  *items(side) {
    for (const file of side.document.checkpoint.files.all) {
      const { socket } = file;
      if (socket === undefined) continue;
      const holder = side.holders(file)[0] ?? "";
      yield {
        key: `${file.type} ${socket.protocol} ${socket.local} ${socket.remote} ${holder}`,
        alias: `${file.type} ${holder}`,
        label: side.fileName(file) ?? file.label,
        fields: {
          family: socket.family,
          type: socket.type,
          protocol: socket.protocol || undefined,
          state: socket.state,
          local: socket.local || undefined,
          remote: socket.remote || undefined,
          backlog: socket.backlog,
          shutdown: socket.shutdown || undefined,
          sendBuffer: socket.sendBuffer,
          receiveBuffer: socket.receiveBuffer,
          received: socket.queued?.received || undefined,
          unsent: socket.queued?.unsent || undefined,
          packets: socket.queued?.packets || undefined,
          waiting: digestOf(socket),
          options: socket.options.join(" ") || undefined,
          peer: side.fileName(socket.peer),
        },
      };
    }
  },
};
