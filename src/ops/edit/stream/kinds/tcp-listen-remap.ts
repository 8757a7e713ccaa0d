import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { IPPROTO_TCP, TCP_LISTEN } from "../../../../linux/sockets.js";
import type { Parsed } from "../../kind.js";
import type { PortRule } from "../../kinds/tcp-listen-remap.js";
import type { StreamDraft } from "../draft.js";
import { inetSockets, networkWord, withPort } from "../inet.js";

/** A listening socket has its port in the kernel's fields and in its address. */
export function planTcpListenRemap(edits: readonly Parsed<readonly PortRule[]>[], draft: StreamDraft): void {
  for (const { index, socket } of inetSockets(draft)) {
    const { sock } = draft.value(socket, RECORDS.SOCKET);
    if (sock.protocol !== IPPROTO_TCP) continue;
    const value = draft.value(index, RECORDS.SOCKET_INET);
    const port = value.laddr.readUInt16BE(2);
    for (const { edit, args } of edits) {
      const rule = args.find(({ from }) => from === port);
      if (rule === undefined) continue;
      if (sock.state !== TCP_LISTEN) {
        draft.leave(edit, {
          image: draft.name,
          record: index,
          field: "laddr",
          value: port,
          why: "a connection, whose other end knows this port",
        });
        continue;
      }
      const shown = { before: port, after: rule.to };
      draft.change(edit, index, "laddr", withPort(value.laddr, rule.to), shown);
      if (value.num === port) draft.change(edit, index, "num", rule.to);
      if (value.sport === networkWord(draft, port))
        draft.change(edit, index, "sport", networkWord(draft, rule.to), shown);
      break;
    }
  }
}
