import { BackendError } from "../../../io/errors.js";
import {
  AF_NETLINK,
  AF_UNIX,
  MSG_DONTWAIT,
  NETLINK_SOCK_DIAG,
  NLM_F_REQUEST_DUMP,
  NLMSG_DONE,
  NLMSG_ERROR,
  SOCK_CLOEXEC,
  SOCK_DIAG_BY_FAMILY,
  SOCK_RAW,
} from "../../../linux/sockets.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";

/** What the kernel tells of a unix socket by its inode number: sock_diag(7). */
export interface UnixDiag {
  readonly inode: number;
  readonly type: number;
  readonly state: number;
  /** sun_path as it was bound; empty for none. */
  readonly name: Buffer;
  /** The file that it is bound to. */
  readonly file: { readonly inode: number; readonly device: number } | undefined;
  /** Inode number of the other end, 0 for one that no descriptor holds; undefined when not connected. */
  readonly peer: number | undefined;
  /** Of a listening socket: those that connected and have not been accepted. */
  readonly pending: readonly number[];
  /** How many may wait to be accepted. */
  readonly backlog: number;
  /** 1 receiving, 2 sending is closed. */
  readonly shutdown: number;
}
const NLMSG_HEADER = 16;
/** struct unix_diag_req and unix_diag_msg, linux/unix_diag.h. */
const REQUEST_BYTES = 24;
const MESSAGE_BYTES = 16;
const ALL_STATES = 0xffff_ffff;
/** UDIAG_SHOW_NAME, VFS, PEER, ICONS and RQLEN. */
const SHOW = 0x1f;
/** UNIX_DIAG_ attributes. */
const ATTRIBUTE = { name: 0, vfs: 1, peer: 2, icons: 3, queue: 4, shutdown: 6 } as const;
const BUFFER_BYTES = 1 << 16;

/**
 * All unix sockets of the network namespace of crimg, by inode number. Sockets without an inode, which wait to be
 * accepted, are left out. Errors: BackendError when the kernel was built without it.
 */
export function readUnixSockets(): ReadonlyMap<number, UnixDiag> {
  const fd = call(
    "open a sock_diag socket",
    SYS.socket,
    AF_NETLINK,
    SOCK_RAW | SOCK_CLOEXEC,
    NETLINK_SOCK_DIAG,
  );
  try {
    const request = Buffer.alloc(NLMSG_HEADER + REQUEST_BYTES);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
    request.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
    request[NLMSG_HEADER] = AF_UNIX;
    request.writeUInt32LE(ALL_STATES, NLMSG_HEADER + 4);
    request.writeUInt32LE(SHOW, NLMSG_HEADER + 12);
    call("request the list of unix sockets", SYS.sendto, fd, request, request.length, 0, 0, 0);
    return answers(fd);
  } finally {
    attempt(SYS.close, fd);
  }
}

function answers(fd: number): Map<number, UnixDiag> {
  const found = new Map<number, UnixDiag>();
  const buffer = Buffer.alloc(BUFFER_BYTES);
  for (;;) {
    // A dump goes on in the receiving call itself, so the next part is always there.
    const size = call(
      "receive the list of unix sockets",
      SYS.recvfrom,
      fd,
      buffer,
      buffer.length,
      MSG_DONTWAIT,
      0,
      0,
    );
    for (let at = 0; at + NLMSG_HEADER <= size; ) {
      const length = buffer.readUInt32LE(at);
      const type = buffer.readUInt16LE(at + 4);
      if (type === NLMSG_DONE) return found;
      if (type === NLMSG_ERROR || length < NLMSG_HEADER)
        throw new BackendError(
          "the kernel tells nothing of unix sockets: it was built without CONFIG_UNIX_DIAG",
        );
      const socket = socketOf(Buffer.from(buffer.subarray(at + NLMSG_HEADER, at + length)));
      if (socket.inode !== 0) found.set(socket.inode, socket);
      at += aligned(length);
    }
  }
}

function socketOf(message: Buffer): UnixDiag {
  const attributes = new Map<number, Buffer>();
  for (let at = MESSAGE_BYTES; at + 4 <= message.length; ) {
    const length = message.readUInt16LE(at);
    if (length < 4) break;
    attributes.set(message.readUInt16LE(at + 2), message.subarray(at + 4, at + length));
    at += aligned(length);
  }
  const vfs = attributes.get(ATTRIBUTE.vfs);
  const icons = attributes.get(ATTRIBUTE.icons) ?? Buffer.alloc(0);
  return {
    type: message[1] ?? 0,
    state: message[2] ?? 0,
    inode: message.readUInt32LE(4),
    name: attributes.get(ATTRIBUTE.name) ?? Buffer.alloc(0),
    file: vfs && { inode: vfs.readUInt32LE(0), device: vfs.readUInt32LE(4) },
    peer: attributes.get(ATTRIBUTE.peer)?.readUInt32LE(0),
    pending: Array.from({ length: icons.length >> 2 }, (_, i) => icons.readUInt32LE(i * 4)),
    backlog: attributes.get(ATTRIBUTE.queue)?.readUInt32LE(4) ?? 0,
    shutdown: attributes.get(ATTRIBUTE.shutdown)?.[0] ?? 0,
  };
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
