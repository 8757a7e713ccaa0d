import type { ViewData } from "../../index.js";
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
export function socketsLines({ sockets }: ViewData<"sockets">, look: Look): Iterable<string> {
  if (sockets.length === 0) return ["no sockets"];
  const rows = sockets.map((socket): Cell[] => {
    const { state, shutdown, received, unsent, backlog, local, inode, descriptors } = socket;
    return [
      kindText(socket),
      shutdown !== undefined && state === "ESTABLISHED" ? `SHUT ${shutdown}` : state,
      received ?? "",
      unsent ?? backlog ?? "",
      local || `[${inode}]`,
      peerText(socket),
      holderText(descriptors) || "none",
    ];
  });
  return tableLines(COLUMNS, rows, look);
}

function kindText({ family, type, protocol }: ShownSocket): string {
  if (protocol === "" || family === "NETLINK")
    return [family.toLowerCase(), (protocol || type).toLowerCase()].join(" ");
  return `${protocol.toLowerCase()}${family === "INET6" ? "6" : ""}`;
}

function peerText({ remote, peer }: ShownSocket): string {
  if (remote !== "" && peer === undefined) return remote;
  if (peer === undefined) return "";
  if (peer.id === undefined) return `outside [${peer.inode}]`;
  return [holderText(peer.descriptors), remote].filter(Boolean).join(" ") || `[${peer.inode}]`;
}
