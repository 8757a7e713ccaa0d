import { BackendError } from "../../../io/errors.js";
import { POLLRDHUP } from "../../../linux/files.js";
import { SIOCINQ, SO_PEEK_OFF, SOL_SOCKET } from "../../../linux/sockets.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import {
  bytesBeforeLast,
  intOption,
  type PeekedMessage,
  peekMessage,
  setOption,
  trySetOption,
} from "./calls.js";

const MESSAGE_BYTES = 256 * 1024;
/** No message is longer: a size of buffers is an int. */
const MAX_BYTES = 1 << 30;

/** Bytes that wait in a queue; of message queues those of the first message. */
function bytesWaiting(fd: number): number {
  const count = Buffer.alloc(4);
  return attempt(SYS.ioctl, fd, SIOCINQ, count) < 0 ? 0 : count.readInt32LE();
}

/**
 * All that waits in the receive queue of a borrowed socket, which stays there: messages one by one, and of a stream its
 * bytes, cut where descriptors travel with them. The descriptors are new ones of this process: the caller closes them.
 * Errors: KernelError; BackendError for a stream that changes meanwhile.
 */
export function peekQueue(fd: number, isStream: boolean): PeekedMessage[] {
  if (isStream) {
    const size = bytesWaiting(fd);
    return size === 0 ? [] : peekStream(fd, size);
  }
  // Without SO_PEEK_OFF nothing is changed: most queues are empty.
  const first = peekMessage(fd, 0);
  if (first === undefined) return [];
  return withOffset(fd, (seek) => peekMessages(fd, seek));
}

type Seek = (offset: number) => void;

/** SO_PEEK_OFF of socket(7): looks at what is behind the first message; the program's own offset is put back. */
function withOffset<T>(fd: number, use: (seek: Seek) => T): T {
  const before = intOption(fd, SOL_SOCKET, SO_PEEK_OFF) ?? -1;
  try {
    return use((offset) => setOption("read the queue of a socket", fd, SOL_SOCKET, SO_PEEK_OFF, offset));
  } finally {
    trySetOption(fd, SOL_SOCKET, SO_PEEK_OFF, before);
  }
}

function peekMessages(fd: number, seek: Seek): PeekedMessage[] {
  const found: PeekedMessage[] = [];
  let size = MESSAGE_BYTES;
  for (let at = 0; ; ) {
    seek(at);
    const message = peekMessage(fd, size);
    if (message === "truncated") {
      size *= 4;
      if (size > MAX_BYTES) throw new BackendError("a socket holds a message of more than 1 GiB");
      continue;
    }
    // An empty message is shown once and then passed over; so is the end of a connection, for ever.
    const isEnd = message?.data.length === 0 && message.descriptors.length === 0 && isClosed(fd);
    if (message === undefined || isEnd) return found;
    found.push(message);
    at += message.data.length;
  }
}

/** Whether nothing can come any more. */
function isClosed(fd: number): boolean {
  return (pollEvents(fd) & POLLRDHUP) !== 0;
}

/** What poll(2) says of a descriptor, of all that it can. */
export function pollEvents(fd: number): number {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(0x2fff, 4);
  attempt(SYS.poll, entry, 1, 0);
  return entry.readUInt16LE(6);
}

function peekStream(fd: number, size: number): PeekedMessage[] {
  const whole = peekMessage(fd, size);
  if (typeof whole === "object" && whole.descriptors.length === 0 && whole.data.length === size)
    return [whole];
  if (typeof whole === "object") close(whole);
  return withOffset(fd, (seek) => {
    const found: PeekedMessage[] = [];
    for (let at = 0; at < size; ) {
      seek(at);
      const piece = peekMessage(fd, size - at);
      if (typeof piece !== "object" || piece.data.length === 0)
        throw new BackendError("the queue of a socket changed while it was read");
      found.push(...cutBefore(fd, seek, at, piece));
      at += piece.data.length;
    }
    return found;
  });
}

/** A read stops behind a message with descriptors, and not before it: finds where that message begins. */
function cutBefore(fd: number, seek: Seek, start: number, piece: PeekedMessage): PeekedMessage[] {
  const { data, descriptors } = piece;
  if (descriptors.length === 0) return [piece];
  seek(start);
  const border = bytesBeforeLast(fd, data.length);
  const before = { ...piece, data: data.subarray(0, border), descriptors: [] };
  return [...(border === 0 ? [] : [before]), { ...piece, data: data.subarray(border) }];
}

function close({ descriptors }: PeekedMessage): void {
  for (const each of descriptors) attempt(SYS.close, each);
}
