import fs from "node:fs";
import path from "node:path";
import { bytesToText, textToBytes } from "../../../io/text.js";
import type { ImageUnix } from "./image.js";

const SLASH = 0x2f;

/** What a socket was bound to, without a NUL at its end. */
type BoundSocket = Pick<ImageUnix, "name" | "directory" | "isLinked" | "permissions">;

/** Where the file of a socket is. */
export function pathOf({ name, directory }: BoundSocket): string {
  const text = bytesToText(name);
  return name[0] === SLASH ? text : path.posix.join(directory ?? "/", text);
}

export function nameWords(socket: ImageUnix): string {
  const { name } = socket;
  if (name.length === 0) return "no name";
  return name[0] === 0 ? `@${bytesToText(name.subarray(1))}` : pathOf(socket);
}

/** Why a socket cannot be bound to its path, as far as files tell; undefined when it can. */
export function whyNotReplaced(socket: BoundSocket): string | undefined {
  const full = pathOf(socket);
  const directory = fs.statSync(textToBytes(path.posix.dirname(full)), { throwIfNoEntry: false });
  if (directory === undefined || !directory.isDirectory())
    return `${path.posix.dirname(full)}, the directory of its name, does not exist`;
  const there = fs.lstatSync(textToBytes(full), { bigint: true, throwIfNoEntry: false });
  if (there === undefined) return undefined;
  // A name that was deleted at the checkpoint is needed only for a moment; no file is replaced for that.
  if (!socket.isLinked) return `${full} was deleted, and another file has its name now`;
  if (!there.isSocket()) return `${full} is now another file`;
  const { permissions } = socket;
  const isSame =
    permissions === undefined ||
    (Number(there.mode & 0o7777n) === (permissions.mode & 0o7777) &&
      Number(there.uid) === permissions.uid &&
      Number(there.gid) === permissions.gid);
  return isSame ? undefined : `${full} is now a socket with another mode or owner`;
}
