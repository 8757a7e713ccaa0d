import type { Checkpoint } from "../checkpoint.js";
import type { OpenFile } from "../open-file.js";
import type { Socket } from "../socket.js";
import type { Access } from "./access.js";
import type { Right } from "./right.js";

/** net.ipv4.ip_unprivileged_port_start as the kernel sets it, ip(7). */
const FIRST_FREE_PORT = 1024;

/** What sockets ask for. */
export function* socketRights({ files }: Checkpoint, access: Access | undefined): Generator<Right> {
  const ends = new Set(files.all.flatMap(({ socket }) => (socket?.connected ? endsOf(socket) : [])));
  for (const file of files.all)
    for (const right of file.socket === undefined ? [] : asked(file.socket, ends, access))
      yield { ...right, origin: file.origin };
}

function* asked(
  socket: NonNullable<OpenFile["socket"]>,
  ends: ReadonlySet<string>,
  access: Access | undefined,
): Generator<Right> {
  const { family, type, protocol, local, localPort, connected, remote } = socket;
  const had = "none";
  if (family === "PACKET" || type === "RAW")
    yield { name: "socket", asked: `a ${type === "RAW" ? "raw" : "packet"} socket`, had };
  if (localPort !== undefined && localPort > 0 && localPort < FIRST_FREE_PORT)
    yield {
      name: "socket",
      asked: `the ${protocol} port ${localPort}`,
      had: `ports from ${FIRST_FREE_PORT} on`,
    };
  // Tasks of the image may connect to each other again; with anybody else a connection is forged (CAP_NET_ADMIN).
  if (connected && !ends.has(`${remote} ${local}`))
    yield { name: "socket", asked: `an established TCP connection to ${remote}`, had };
  if (family === "UNIX" && local.startsWith("/") && access?.mayMake(local) === false)
    yield { name: "file", asked: `a new socket ${local}`, had, path: local };
}

function endsOf({ local, remote }: Socket): string {
  return `${local} ${remote}`;
}
