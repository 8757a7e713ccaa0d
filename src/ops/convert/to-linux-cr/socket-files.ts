import type { InetSkEntry } from "../../../formats/criu/tables/sk-inet.js";
import type { UnixSkEntry } from "../../../formats/criu/tables/sk-unix.js";
import type { OpenFile } from "../../../model/checkpoint.js";
import type { Context } from "./context.js";
import { FILE_TYPE, writeFileRecord, writeOwner } from "./file-parts.js";
import { writeInetSocket } from "./inet-sockets.js";
import { writeUnixSocket } from "./unix-sockets.js";

/** An open socket: the SOCK object stands before its FILE record, except when it came as the peer of another one. */
export function writeSocketFile(context: Context, file: OpenFile, objref: number): void {
  const { flags, fown } = file.record as UnixSkEntry | InetSkEntry;
  const sock = file.type === "UNIXSK" ? writeUnixSocket(context, file) : writeInetSocket(context, file);
  writeFileRecord(context, FILE_TYPE.socket, { flags, own: { sock_objref: sock } });
  writeOwner(context, file, objref, fown, flags);
}
