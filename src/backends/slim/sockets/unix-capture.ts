import fs from "node:fs";
import path from "node:path";
import { bytesToText, textToBytes } from "../../../io/text.js";
import {
  SIOCOUTQ,
  SIOCUNIXFILE,
  SO_ACCEPTCONN,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SUN_PATH,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../../../linux/sockets.js";
import type { OpenFileState } from "../files/open-files.js";
import type { UnixDiag } from "../proc/unix-diag.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { addressOfSocket, intOption, type PeekedMessage } from "./calls.js";
import type { ReportUnsupported, UnixSocket } from "./captured.js";
import { socketOptions } from "./options.js";
import { peekQueue } from "./queue.js";

const SLASH = 0x2f;
const DELETED = " (deleted)";

/** What a capture needs to know of other sockets. */
interface UnixSurroundings {
  readonly all: ReadonlyMap<number, UnixDiag>;
  /** Whether a socket with this inode number belongs to the tree. */
  isInside(inode: number): boolean;
  /** Who else has a socket: " (task 4711 has it)", or nothing. */
  holder(inode: number): string;
}

/** A message that waits, with the open files that travel with it. */
export interface Waiting {
  readonly message: PeekedMessage;
  readonly files: readonly OpenFileState[];
}

/** All that waits in a unix socket that crimg has borrowed as `fd`; `adopt` takes over the descriptors in it. */
export function waitingIn(fd: number, adopt: (descriptor: number) => OpenFileState): Waiting[] {
  if (intOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1) return [];
  const isStream = intOption(fd, SOL_SOCKET, SO_TYPE) === SOCK_STREAM;
  return peekQueue(fd, isStream).map((message) => ({ message, files: message.descriptors.map(adopt) }));
}

/** Reads a unix socket that crimg has borrowed as `fd`. */
export function captureUnix(
  fd: number,
  { inode, waiting }: { readonly inode: number; readonly waiting: readonly Waiting[] },
  around: UnixSurroundings,
  unsupported: ReportUnsupported,
): UnixSocket | undefined {
  const diag = around.all.get(inode);
  if (diag === undefined) {
    unsupported("is in another network namespace");
    return undefined;
  }
  const opts = socketOptions(fd);
  const address = addressOfSocket(fd, "own") ?? Buffer.alloc(SUN_PATH);
  const name = Buffer.from(address.subarray(SUN_PATH));
  const isListening = diag.state === TCP_LISTEN;
  const peer = isListening ? 0 : peerOf(fd, diag, around, unsupported);
  if (isListening) checkPending(diag, around, unsupported);
  if (waiting.length > 0 && opts.so_passcred === true)
    unsupported("holds messages with SCM_CREDENTIALS, which cannot be sent again");
  return {
    family: "unix",
    inode,
    type: diag.type,
    // Whom others send datagrams to is called connected as well.
    state: diag.type === SOCK_DGRAM && diag.peer === undefined ? TCP_CLOSE : diag.state,
    backlog: isListening ? diag.backlog : 0,
    shutdown: diag.shutdown,
    opts,
    name,
    ...fileOf(fd, name, unsupported),
    peer,
    queue: waiting.map(({ message, files }) => ({
      data: message.data,
      files,
      sender: senderOf(message, diag, peer, around, unsupported),
    })),
  };
}

/** The other end; the listening socket for a connection that has not been accepted yet. */
function peerOf(
  fd: number,
  { inode, peer, state }: UnixDiag,
  around: UnixSurroundings,
  unsupported: ReportUnsupported,
): number {
  if (peer !== undefined && peer !== 0) {
    if (around.isInside(peer)) return peer;
    unsupported(`is connected to socket:[${peer}] outside the tree${around.holder(peer)}`);
    return 0;
  }
  if (state !== TCP_ESTABLISHED) return 0;
  const listener = [...around.all.values()].find(({ pending }) => pending.includes(inode));
  if (listener === undefined) return 0;
  if (!around.isInside(listener.inode))
    unsupported(
      `waits to be accepted by socket:[${listener.inode}] outside the tree${around.holder(listener.inode)}`,
    );
  const sent = Buffer.alloc(4);
  attempt(SYS.ioctl, fd, SIOCOUTQ, sent);
  if (sent.readInt32LE() > 0) unsupported("has sent data over a connection that has not been accepted yet");
  return listener.inode;
}

function checkPending({ pending }: UnixDiag, around: UnixSurroundings, unsupported: ReportUnsupported): void {
  const external = pending.find((inode) => !around.isInside(inode));
  if (external === undefined) return;
  unsupported(
    external === 0
      ? "has a connection to accept whose other end is closed"
      : `has a connection to accept from socket:[${external}] outside the tree${around.holder(external)}`,
  );
}

/** Datagrams may come from others than the peer: those with a name must be in the tree to send them again. */
function senderOf(
  { sender }: PeekedMessage,
  { inode, type }: UnixDiag,
  peer: number,
  { all, isInside }: UnixSurroundings,
  unsupported: ReportUnsupported,
): number | undefined {
  if (type !== SOCK_DGRAM) return peer === 0 ? undefined : peer;
  const name = sender.subarray(SUN_PATH);
  const known = [...all.values()].find(
    (each) => isInside(each.inode) && name.length > 0 && sameName(each.name, name),
  );
  if (known !== undefined) return known.inode;
  if (name.length > 0) unsupported(`holds a message of ${bytesToText(name)}, which is not in the tree`);
  // Nobody can tell senders without a name apart.
  return peer !== 0
    ? peer
    : [...all.values()].find((each) => each.peer === inode && isInside(each.inode))?.inode;
}

/** Names of files may or may not end with a NUL. */
function sameName(a: Buffer, b: Buffer): boolean {
  const bare = (name: Buffer): Buffer => (name[0] !== 0 && name.at(-1) === 0 ? name.subarray(0, -1) : name);
  return bare(a).equals(bare(b));
}

/** The file of a socket that is bound to a path, which the kernel opens itself: SIOCUNIXFILE of unix(7). */
function fileOf(
  fd: number,
  name: Buffer,
  unsupported: ReportUnsupported,
): Pick<UnixSocket, "directory" | "isLinked" | "permissions"> {
  const none = { directory: undefined, isLinked: false, permissions: undefined };
  if (name.length === 0 || name[0] === 0) return none;
  const file = attempt(SYS.ioctl, fd, SIOCUNIXFILE);
  if (file < 0) {
    unsupported("is bound to a path, and reading its file needs CAP_NET_ADMIN");
    return none;
  }
  try {
    const link = bytesToText(fs.readlinkSync(`/proc/self/fd/${file}`, "buffer"));
    const { mode, uid, gid, nlink } = fs.fstatSync(file);
    const bare = link.endsWith(DELETED) && nlink === 0 ? link.slice(0, -DELETED.length) : link;
    const text = bytesToText(name.at(-1) === 0 ? name.subarray(0, -1) : name);
    const directory = name[0] === SLASH ? undefined : directoryOf(bare, text);
    if (name[0] !== SLASH && directory === undefined)
      unsupported(`is bound to ${text}, and the directory of that relative path is unknown`);
    return { directory, isLinked: nlink > 0 && isSame(bare, file), permissions: { mode, uid, gid } };
  } finally {
    attempt(SYS.close, file);
  }
}

/** The directory from which `name` leads to `file`. */
function directoryOf(file: string, name: string): string | undefined {
  const plain = path.posix.normalize(name);
  if (file.endsWith(`/${plain}`)) return file.slice(0, -plain.length - 1) || "/";
  return undefined;
}

function isSame(name: string, fd: number): boolean {
  const there = fs.lstatSync(textToBytes(name), { bigint: true, throwIfNoEntry: false });
  const own = fs.fstatSync(fd, { bigint: true });
  return there?.ino === own.ino && there.dev === own.dev;
}
