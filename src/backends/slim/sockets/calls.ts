import { constants } from "node:os";
import { EAGAIN, ENOTCONN } from "../../../linux/errno.js";
import {
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../../../linux/sockets.js";
import { SYS } from "../sys/abi-x64.js";
import { KernelError } from "../sys/kernel-error.js";
import { addressOf, attempt, call } from "../sys/syscall.js";

const SOCKADDR_BYTES = 128;
/** A message carries at most 253 descriptors, unix(7). */
const CONTROL_BYTES = 2048;
/** struct msghdr and struct cmsghdr of x86-64. */
const MSGHDR_BYTES = 56;
const IOVEC_BYTES = 16;
const CMSG_BYTES = 16;

/** The value of a socket option; undefined when the socket has no such option. */
export function getOption(fd: number, level: number, name: number, size = 4): Buffer | undefined {
  const value = Buffer.alloc(size);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(size);
  if (attempt(SYS.getsockopt, fd, level, name, value, length) < 0) return undefined;
  return value.subarray(0, Math.min(size, length.readUInt32LE()));
}

/** An option that is an int. */
export function intOption(fd: number, level: number, name: number): number | undefined {
  const value = getOption(fd, level, name);
  return value === undefined || value.length === 0
    ? undefined
    : value.readIntLE(0, Math.min(4, value.length));
}

/** Errors: KernelError. */
export function setOption(
  doing: string,
  fd: number,
  level: number,
  name: number,
  value: number | Buffer,
): void {
  const result = trySetOption(fd, level, name, value);
  if (result < 0) throw new KernelError(doing, -result);
}

/** 0, or the negative errno. */
export function trySetOption(fd: number, level: number, name: number, value: number | Buffer): number {
  const bytes = Buffer.isBuffer(value) ? value : s32(value);
  return attempt(SYS.setsockopt, fd, level, name, bytes, bytes.length);
}

export function s32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeInt32LE(value | 0, i * 4);
  return bytes;
}

/** The address of a socket or of its peer, struct sockaddr of its family; undefined for no peer. */
export function addressOfSocket(fd: number, openFileName: "own" | "peer"): Buffer | undefined {
  const address = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  const result = attempt(openFileName === "own" ? SYS.getsockname : SYS.getpeername, fd, address, length);
  return result < 0 ? undefined : address.subarray(0, Math.min(SOCKADDR_BYTES, length.readUInt32LE()));
}

/** A message as a look at a queue shows it. The descriptors are new ones of this process: the caller closes them. */
export interface PeekedMessage {
  readonly data: Buffer;
  readonly descriptors: readonly number[];
  /** Address of the sender; empty when it has none. */
  readonly sender: Buffer;
}

/**
 * The next bytes or message of a queue, which stays as it is; undefined when nothing waits. `size`: most bytes wanted; of
 * a longer message undefined is never given, but "truncated". Errors: KernelError.
 */
export function peekMessage(fd: number, size: number): PeekedMessage | "truncated" | undefined {
  const data = Buffer.alloc(Math.max(1, size));
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const control = Buffer.alloc(CONTROL_BYTES);
  const header = messageHeader(name, data.subarray(0, size), control);
  const flags = MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  const got = attempt(SYS.recvmsg, fd, header, flags);
  // Nothing waits at a SOCK_SEQPACKET that is not connected.
  if (got === -EAGAIN || got === -ENOTCONN) return undefined;
  if (got < 0) throw new KernelError("read the queue of a socket", -got);
  const message = {
    data: data.subarray(0, got),
    descriptors: rightsOf(control.subarray(0, Number(header.readBigUInt64LE(40)))),
    sender: name.subarray(0, Math.min(SOCKADDR_BYTES, header.readUInt32LE(8))),
  };
  if ((header.readInt32LE(48) & MSG_TRUNC) === 0) return message;
  for (const each of message.descriptors) attempt(SYS.close, each);
  return "truncated";
}

/**
 * Of the next `size` bytes of a stream, how many came before the message that the last one belongs to. A peek copies
 * message by message and stops before one that does not fit into memory: the last byte gets none. Errors: KernelError.
 */
export function bytesBeforeLast(fd: number, size: number): number {
  const data = Buffer.alloc(size - 1);
  const vectors = Buffer.alloc(2 * IOVEC_BYTES);
  if (data.length > 0) vectors.writeBigUInt64LE(addressOf(data), 0);
  vectors.writeBigUInt64LE(BigInt(data.length), 8);
  vectors.writeBigUInt64LE(NOWHERE, IOVEC_BYTES);
  vectors.writeBigUInt64LE(1n, IOVEC_BYTES + 8);
  const header = Buffer.alloc(MSGHDR_BYTES);
  header.writeBigUInt64LE(addressOf(vectors), 16);
  header.writeBigUInt64LE(2n, 24);
  const got = attempt(SYS.recvmsg, fd, header, MSG_PEEK | MSG_DONTWAIT);
  if (got === -constants.errno.EFAULT) return 0;
  if (got < 0) throw new KernelError("read the queue of a socket", -got);
  return Math.min(got, data.length);
}

/** No process has memory there. */
const NOWHERE = 8n;

/** Sends one message without waiting, with descriptors and to an address when given. Errors: KernelError. */
export function sendMessage(
  doing: string,
  fd: number,
  data: Buffer,
  {
    descriptors = [],
    to,
  }: { readonly descriptors?: readonly number[]; readonly to?: Buffer | undefined } = {},
): number {
  const control = descriptors.length === 0 ? Buffer.alloc(0) : rights(descriptors);
  const header = messageHeader(to ?? Buffer.alloc(0), data, control);
  return call(doing, SYS.sendmsg, fd, header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** struct msghdr over these buffers, with its one struct iovec behind it. */
function messageHeader(name: Buffer, data: Buffer, control: Buffer): Buffer {
  const bytes = Buffer.alloc(MSGHDR_BYTES + IOVEC_BYTES);
  if (name.length > 0) bytes.writeBigUInt64LE(addressOf(name), 0);
  bytes.writeUInt32LE(name.length, 8);
  bytes.writeBigUInt64LE(addressOf(bytes) + BigInt(MSGHDR_BYTES), 16);
  bytes.writeBigUInt64LE(1n, 24);
  if (control.length > 0) bytes.writeBigUInt64LE(addressOf(control), 32);
  bytes.writeBigUInt64LE(BigInt(control.length), 40);
  if (data.length > 0) bytes.writeBigUInt64LE(addressOf(data), MSGHDR_BYTES);
  bytes.writeBigUInt64LE(BigInt(data.length), MSGHDR_BYTES + 8);
  return bytes;
}

function rights(descriptors: readonly number[]): Buffer {
  const length = CMSG_BYTES + descriptors.length * 4;
  const bytes = Buffer.alloc(Math.ceil(length / 8) * 8);
  bytes.writeBigUInt64LE(BigInt(length), 0);
  bytes.writeInt32LE(SOL_SOCKET, 8);
  bytes.writeInt32LE(SCM_RIGHTS, 12);
  s32(...descriptors).copy(bytes, CMSG_BYTES);
  return bytes;
}

/** The descriptors in control data, cmsg(3). */
function rightsOf(control: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + CMSG_BYTES <= control.length; ) {
    const length = Number(control.readBigUInt64LE(at));
    if (length < CMSG_BYTES) break;
    const isRights =
      control.readInt32LE(at + 8) === SOL_SOCKET && control.readInt32LE(at + 12) === SCM_RIGHTS;
    for (let i = at + CMSG_BYTES; isRights && i + 4 <= at + length; i += 4)
      found.push(control.readInt32LE(i));
    at += Math.ceil(length / 8) * 8;
  }
  return found;
}
