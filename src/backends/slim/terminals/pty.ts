import { BackendError } from "../../../io/errors.js";
import { F_SETFD, FD_CLOEXEC, POLLHUP, POLLIN, POLLOUT } from "../../../linux/files.js";
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from "../../../linux/open-flags.js";
import {
  FIONREAD,
  TCGETS2,
  TCOOFF,
  TCOON,
  TCSETS2,
  TCXONC,
  TIOCEXCL,
  TIOCGDEV,
  TIOCGEXCL,
  TIOCGLCKTRMIOS,
  TIOCGPKT,
  TIOCGPTLCK,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCGWINSZ,
  TIOCPKT,
  TIOCSLCKTRMIOS,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "../../../linux/tty.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call } from "../sys/syscall.js";
import { TERMIOS_BYTES, TERMIOS2_BYTES } from "./modes.js";

const WINSIZE_BYTES = 8;

/** What a descriptor of crimg for one end of a pseudo terminal can be asked and told. Errors: KernelError. */
export class Pty {
  constructor(readonly fd: number) {}

  /** N of /dev/pts/N, of a master. */
  get masterIndex(): number {
    return this.#number("number", TIOCGPTN);
  }

  /** The device number of the terminal itself, also of a descriptor for /dev/tty; undefined after a hang-up. */
  get device(): number | undefined {
    const bytes = Buffer.alloc(4);
    return attempt(SYS.ioctl, this.fd, TIOCGDEV, bytes) < 0 ? undefined : bytes.readUInt32LE();
  }

  /** struct termios2 of asm-generic/termbits.h. Both ends of a pseudo terminal tell that of the slave. */
  get modes(): Buffer {
    return this.#bytes("modes", TCGETS2, TERMIOS2_BYTES);
  }

  /** Sets modes at once: nothing is waited for, nothing thrown away. */
  set modes(termios: Buffer) {
    call("set the modes of a terminal", SYS.ioctl, this.fd, TCSETS2, termios);
  }

  /** struct termios: the bits that cannot be changed. */
  get lockedModes(): Buffer {
    return this.#bytes("locked modes", TIOCGLCKTRMIOS, TERMIOS_BYTES);
  }

  set lockedModes(termios: Buffer) {
    call("lock modes of a terminal", SYS.ioctl, this.fd, TIOCSLCKTRMIOS, termios);
  }

  /** struct winsize. */
  get size(): Buffer {
    return this.#bytes("size", TIOCGWINSZ, WINSIZE_BYTES);
  }

  set size(winsize: Buffer) {
    call("set the size of a terminal", SYS.ioctl, this.fd, TIOCSWINSZ, winsize);
  }

  get isPacketMode(): boolean {
    return this.#number("packet mode", TIOCGPKT) !== 0;
  }

  set isPacketMode(on: boolean) {
    call("set the packet mode of a terminal", SYS.ioctl, this.fd, TIOCPKT, int(Number(on)));
  }

  get isExclusive(): boolean {
    return this.#number("exclusive flag", TIOCGEXCL) !== 0;
  }

  makeExclusive(): void {
    call("make a terminal exclusive", SYS.ioctl, this.fd, TIOCEXCL, 0);
  }

  /** Whether the slave of a master cannot be opened yet. */
  get isLocked(): boolean {
    return this.#number("lock", TIOCGPTLCK) !== 0;
  }

  set isLocked(on: boolean) {
    call("lock or unlock the slave of a terminal", SYS.ioctl, this.fd, TIOCSPTLCK, int(Number(on)));
  }

  /** Nobody has the slave of a master open any more. */
  get isLeft(): boolean {
    return (this.#poll() & POLLHUP) !== 0;
  }

  /** Output to it waits, as after ^S. */
  get isStopped(): boolean {
    return (this.#poll() & POLLOUT) === 0;
  }

  /** Lets output wait or go on, as tcflow(3); what ^S has stopped is not concerned. */
  set isHeld(on: boolean) {
    call("hold the output of a terminal", SYS.ioctl, this.fd, TCXONC, on ? TCOOFF : TCOON);
  }

  /** Bytes that can be read. Looking at it first lets the kernel pass on what is on its way: drivers/tty/n_tty.c. */
  get unread(): number {
    this.#poll();
    return this.#number("unread bytes", FIONREAD);
  }

  /** What one read(2) gives; undefined when it would wait. Only for descriptors with O_NONBLOCK, or what is unread. */
  read(size: number): Buffer | undefined {
    const bytes = Buffer.alloc(size);
    const got = attempt(SYS.read, this.fd, bytes, size);
    return got < 0 ? undefined : bytes.subarray(0, got);
  }

  write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const written = call("fill a terminal", SYS.write, this.fd, bytes.subarray(done), bytes.length - done);
      if (written === 0) throw new BackendError("a terminal takes no more bytes");
      done += written;
    }
  }

  /** A new open file for the slave of a master: `flags` of open(2). The slave must be unlocked. */
  openSlave(flags = O_RDWR | O_NONBLOCK): Pty {
    // What is asked for here stays in the flags of the open file, O_CLOEXEC as well: drivers/tty/pty.c.
    const fd = call("open the slave of a terminal", SYS.ioctl, this.fd, TIOCGPTPEER, flags | O_NOCTTY);
    call("set close-on-exec of a descriptor", SYS.fcntl, fd, F_SETFD, FD_CLOEXEC);
    return new Pty(fd);
  }

  close(): void {
    attempt(SYS.close, this.fd);
  }

  #poll(): number {
    const request = Buffer.alloc(8);
    request.writeInt32LE(this.fd, 0);
    request.writeInt16LE(POLLIN | POLLOUT, 4);
    call("poll a terminal", SYS.poll, request, 1, 0);
    return request.readInt16LE(6);
  }

  #number(what: string, request: number): number {
    return this.#bytes(what, request, 4).readInt32LE();
  }

  #bytes(what: string, request: number, size: number): Buffer {
    const bytes = Buffer.alloc(size);
    call(`read the ${what} of a terminal`, SYS.ioctl, this.fd, request, bytes);
    return bytes;
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
