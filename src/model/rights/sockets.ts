import type { Checkpoint } from "../checkpoint.js";
import type { OpenFile } from "../open-file.js";
import { isPath, type Socket } from "../socket.js";
import type { Access } from "./access.js";
import type { Bearer } from "./bearer.js";
import type { Right } from "./right.js";
import { ownUid } from "./tasks.js";

/** net.ipv4.ip_unprivileged_port_start as the kernel sets it, ip(7). */
const FIRST_FREE_PORT = 1024;

/** Of SO_PRIORITY without CAP_NET_ADMIN, socket(7). */
const MAX_PRIORITY = 6;

/** What sockets ask for. */
export function* socketRights(
  { files }: Checkpoint,
  owner: Bearer,
  access: Access | undefined,
): Generator<Right> {
  const ends = new Set(files.all.flatMap(({ socket }) => (socket?.connected ? endsOf(socket) : [])));
  for (const file of files.all)
    for (const right of file.socket === undefined ? [] : asked(file.socket, ends, owner, access))
      yield { ...right, origin: file.origin };
}

function* asked(
  socket: NonNullable<OpenFile["socket"]>,
  ends: ReadonlySet<string>,
  owner: Bearer,
  access: Access | undefined,
): Generator<Right> {
  const { family, type, protocol, local, localPort, connected, remote, options, unix } = socket;
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
  if ((options.priority ?? 0) > MAX_PRIORITY)
    yield { name: "socket", asked: `SO_PRIORITY ${options.priority}`, had: `at most ${MAX_PRIORITY}` };
  if ((options.mark ?? 0) !== 0) yield { name: "socket", asked: `SO_MARK ${options.mark}`, had };
  if (unix === undefined || !isPath(unix)) return;
  const path = local.startsWith("/") ? local : `/${local}`;
  if (access?.mayMake(path) === false) yield { name: "file", asked: `a new socket ${path}`, had, path };
  const { uid, gid } = unix.permissions ?? {};
  if (uid !== undefined && gid !== undefined && !(uid === owner.uid && owner.gids.has(gid)))
    yield {
      name: "file",
      asked: `a new socket ${path} of uid ${uid} and gid ${gid}`,
      had: ownUid(owner),
      path,
    };
}

function endsOf({ local, remote }: Socket): string {
  return `${local} ${remote}`;
}
