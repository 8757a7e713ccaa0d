import { createHash, type Hash } from "node:crypto";
import { optionNames, type Socket, sizeOf } from "../../../model/socket.js";
import type { Section } from "../section.js";

const CHUNK = 64 * 1024;

/** SHA-256 of the receive queue; includes message boundaries if there are any. */
function digestOf(socket: Socket): string | undefined {
  // Created at the first message: a hash takes kilobytes outside of the heap, and most queues are empty.
  let hash: Hash | undefined;
  let isEmpty = true;
  for (const { data } of socket.received()) {
    hash ??= createHash("sha256");
    if (socket.protocol !== "TCP") hash.update(`${sizeOf(data)}:`);
    for (const { source, offset, size } of data)
      for (let done = 0; done < size; done += CHUNK)
        hash.update(source.read(offset + done, Math.min(CHUNK, size - done)));
    isEmpty &&= sizeOf(data) === 0;
  }
  return isEmpty ? undefined : hash?.digest("hex");
}

export const SOCKETS: Section = {
  name: "sockets",
  *items(side) {
    for (const file of side.document.checkpoint.files.all) {
      const { socket } = file;
      if (socket === undefined) continue;
      const { options } = socket;
      const holder = side.holder(file) ?? "";
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
          backlog: socket.state === "LISTEN" ? socket.backlog : undefined,
          shutdown: socket.shutdown || undefined,
          sendBuffer: options.sendBuffer,
          receiveBuffer: options.receiveBuffer,
          received: socket.queued?.received || undefined,
          unsent: socket.queued?.unsent || undefined,
          packets: socket.queued?.packets || undefined,
          waiting: digestOf(socket),
          options: optionNames(options).join(" ") || undefined,
          peer: side.fileName(socket.peer),
        },
      };
    }
  },
};
