import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { FILE_TYPE, writeFileRecord, writeOwner } from "./file-parts.js";
import { writeInetSocket } from "./inet-sockets.js";
import { writeNetlinkSocket, writePacketSocket } from "./other-sockets.js";
import { type WriteFile, writeUnixSocket } from "./unix-sockets.js";

/** An open socket: the SOCK object stands before its FILE record, except when it came as the peer of another one. */
export function writeSocketFile(
  context: Context,
  file: OpenFile,
  objref: number,
  writeFile: WriteFile,
): void {
  const { flags, fown } = file.record as UnixSkEntry | InetSkEntry;
  const sock = writeSocket(context, file, writeFile);
  writeFileRecord(context, FILE_TYPE.socket, { flags, own: { sock_objref: sock } });
  writeOwner(context, file, objref, fown, flags);
}

function writeSocket(context: Context, file: OpenFile, writeFile: WriteFile): number {
  switch (file.type) {
    case "UNIXSK":
      return writeUnixSocket(context, file, writeFile);
    case "NETLINKSK":
      return writeNetlinkSocket(context, file);
    case "PACKETSK":
      return writePacketSocket(context, file);
    default:
      return writeInetSocket(context, file);
  }
}
