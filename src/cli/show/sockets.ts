import type { ViewData } from "../../index.js";
import type { Line } from "../line.js";
import { type Cell, type Column, tableLines } from "../table.js";
import { holderText, type Look } from "./words.js";

const COLUMNS: readonly Column[] = [
  { head: "SOCKET" },
  { head: "STATE" },
  { head: "RECV-Q", align: "right" },
  { head: "SEND-Q", align: "right" },
  { head: "LOCAL", cut: "start" },
  { head: "PEER", cut: "start" },
  { head: "HELD BY", cut: "end" },
];

type ShownSocket = ViewData<"sockets">["sockets"][number];

/** `crimg show IMG sockets` */
export function socketsLines({ sockets }: ViewData<"sockets">, look: Look): Iterable<Line> {
  if (sockets.length === 0) return ["no sockets"];
  const rows = sockets.map((socket): Cell[] => {
    const { state, shutdown, received, unsent, backlog, local, inode, descriptors } = socket;
    return [
      kindText(socket),
      stateText(state, shutdown),
      received ?? "",
      unsent ?? backlog ?? "",
      local || `[${inode}]`,
      peerText(socket),
      holderText(descriptors) || "none",
    ];
  });
  return tableLines(COLUMNS, rows, look);
}

/** As shown by ss(8). */
function stateText(state: string, shutdown: string | undefined): string {
  if (state !== "ESTABLISHED") return state.replaceAll("_", "-");
  return shutdown === undefined ? "ESTAB" : `SHUT ${shutdown}`;
}

/** As named by ss(8): `u_str`, `p_raw`, `nl route`. */
function kindText({ family, type, protocol }: ShownSocket): string {
  const word = type.toLowerCase().slice(0, 3);
  if (family === "UNIX") return `u_${word}`;
  if (family === "PACKET") return `p_${word}`;
  if (family === "NETLINK") return `nl ${protocol.toLowerCase()}`;
  return `${(protocol || type).toLowerCase()}${family === "INET6" ? "6" : ""}`;
}

function peerText({ remote, peer }: ShownSocket): string {
  if (remote !== "" && peer === undefined) return remote;
  if (peer === undefined) return "";
  if (peer.id === undefined) return `external [${peer.inode}]`;
  return [holderText(peer.descriptors), remote].filter(Boolean).join(" ") || `[${peer.inode}]`;
}
