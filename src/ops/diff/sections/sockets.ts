import type { Section } from "../section.js";

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
          options: socket.options.join(" ") || undefined,
          peer: side.fileName(socket.peer),
        },
      };
    }
  },
};
