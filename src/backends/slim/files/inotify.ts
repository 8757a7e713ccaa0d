import fs from "node:fs";
import path from "node:path";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { StreamWriter } from "../../../formats/linux-cr/stream-writer.js";
import { BackendError } from "../../../io/errors.js";
import { bytesToText, textToBytes } from "../../../io/text.js";
import { kernelDevice } from "../../../linux/devices.js";
import { IN_DONT_FOLLOW } from "../../../linux/files.js";
import { parseMountinfo } from "../../../linux/mountinfo.js";
import { O_CLOEXEC, O_PATH } from "../../../linux/open-flags.js";
import { FIONREAD } from "../../../linux/tty.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { encodeSpecial } from "../../../model/linux-cr/special-files.js";
import type { Unsupported } from "../../backend.js";
import { readProc } from "../proc/read.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, cString } from "../sys/syscall.js";
import type { ProcessState } from "../tasks/capture.js";
import type { OpenFileRecord } from "./image.js";
import { borrow, isGone, kindOf, type OpenFileState, type OpenFileStates } from "./open-files.js";

/** One watch of an inotify(7) instance. */
interface Watch {
  readonly wd: number;
  readonly mask: number;
  readonly ino: bigint;
  /** Device number as the kernel has it: 12 bits and 20 bits. */
  readonly dev: number;
  readonly path: string;
}

/** A line of fdinfo, fs/notify/fdinfo.c: hexadecimal numbers, and a handle where the file system has handles. */
interface WatchLine {
  readonly wd: number;
  readonly mask: number;
  readonly ino: bigint;
  readonly dev: number;
  /** struct file_handle. */
  readonly handle: Buffer | undefined;
}

/** The watches of a tree with the paths that they are found by. */
export class Watches {
  readonly #places: readonly string[];
  readonly #mounts = mountPoints();

  constructor(
    processes: Iterable<ProcessState>,
    readonly files: OpenFileStates,
  ) {
    const known = [...[...processes].map(({ cwd }) => cwd), ...files.all.map(({ link }) => link)];
    const named = known.filter((name) => name.startsWith("/"));
    this.#places = [...new Set([...named, ...named.map((name) => path.dirname(name))])];
  }

  /** Errors: Error for a watch without a path, which is refused before. */
  of(file: OpenFileState): Watch[] {
    return linesOf(file).map((line) => {
      const found = this.#pathOf(line);
      if (found === undefined) throw new Error(`watch ${line.wd} is not supported`);
      return { ...line, path: found };
    });
  }

  /** Watches whose files have no path, and events that wait: the kernel has no way to queue them again. */
  unsupported(): Unsupported[] {
    return this.files.all
      .filter((file) => kindOf(file) === "inotify")
      .flatMap((file): Unsupported[] => {
        const { pid, fd } = file;
        const name = `the inotify instance ${fd} of task ${pid}`;
        const waiting = unreadEvents(file);
        const nameless = linesOf(file).filter((line) => this.#pathOf(line) === undefined);
        return [
          ...(waiting > 0
            ? [{ pid, reason: `${name} has ${waiting} bytes of unread events: try again` }]
            : []),
          ...nameless.map(({ wd, ino }) => ({
            pid,
            reason: `${name} watches (as ${wd}) the inode ${ino}, which has no known path`,
          })),
        ];
      });
  }

  #pathOf(line: WatchLine): string | undefined {
    return this.#byHandle(line) ?? this.#places.find((place) => isSame(place, line));
  }

  /** open_by_handle_at(2), by any mount of the file system. */
  #byHandle({ handle, dev, ino }: WatchLine): string | undefined {
    if (handle === undefined) return undefined;
    for (const mount of this.#mounts.get(dev) ?? []) {
      const root = attempt(SYS.openat, -100, Buffer.concat([textToBytes(mount), Buffer.alloc(1)]), O_CLOEXEC);
      if (root < 0) continue;
      const fd = attempt(SYS.open_by_handle_at, root, handle, O_PATH | O_CLOEXEC);
      attempt(SYS.close, root);
      if (fd < 0) continue;
      const link = bytesToText(fs.readlinkSync(`/proc/self/fd/${fd}`, "buffer"));
      const stat = fs.fstatSync(fd, { bigint: true });
      attempt(SYS.close, fd);
      if (!isGone(link, stat) && inodeAt(link)?.ino === ino) return link;
    }
    return undefined;
  }
}

function isSame(place: string, { ino, dev }: WatchLine): boolean {
  const stat = inodeAt(place);
  return stat !== undefined && stat.ino === ino && kernelDevice(stat.dev) === dev;
}

function inodeAt(place: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(textToBytes(place), { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function linesOf({ info }: OpenFileState): WatchLine[] {
  return (info.lines.get("inotify") ?? []).map((line) => {
    const words = new Map(line.split(" ").map((word) => word.split(":") as [string, string]));
    const number = (name: string): number => Number.parseInt(words.get(name) ?? "0", 16);
    const bytes = Buffer.from(words.get("f_handle") ?? "", "hex");
    const head = Buffer.alloc(8);
    head.writeUInt32LE(bytes.length, 0);
    head.writeInt32LE(number("fhandle-type"), 4);
    return {
      wd: number("wd"),
      mask: number("mask"),
      ino: BigInt(`0x${words.get("ino") ?? "0"}`),
      dev: number("sdev"),
      handle: bytes.length === 0 ? undefined : Buffer.concat([head, bytes]),
    };
  });
}

function unreadEvents(file: OpenFileState): number {
  const bytes = Buffer.alloc(4);
  borrow(file, (fd) =>
    call("count the unread events of an inotify instance", SYS.ioctl, fd, FIONREAD, bytes),
  );
  return bytes.readInt32LE();
}

/** INOTIFY and its watches by their paths. */
export function writeInotify(writer: StreamWriter, watches: readonly Watch[]): void {
  writer.records(encodeSpecial({ kind: "inotify", watches })?.records ?? []);
}

/** Fewer than fs.inotify.max_queued_events is by default, as each watch that is taken back queues an event. */
const BEFORE_DRAINING = 4096;
/** A number that is further away than this takes seconds to reach. */
const MAX_TRIES = 10_000_000;

export function makeInotify(): number {
  return call("make an inotify instance", SYS.inotify_init1, O_CLOEXEC);
}

/**
 * Lets an inotify instance of crimg watch what it watched, by the same numbers: the kernel gives them in ascending order,
 * so watches are made and taken back until the right one comes. What it tells meanwhile is thrown away.
 * Errors: BackendError naming the path.
 */
export function watchPaths(reader: StreamReader, { part }: OpenFileRecord, fd: number): void {
  const watches = part.parts
    .map((each) => reader.get(each, RECORDS.INOTIFY_WATCH))
    .map(({ index, value }) => ({ wd: value.wd, mask: value.mask, path: reader.image.text(index) }))
    .sort((a, b) => a.wd - b.wd);
  for (const { wd, mask, path } of watches) watchAs(fd, wd, mask, path);
  drain(fd);
}

function watchAs(fd: number, wanted: number, mask: number, path: string): void {
  const name = cString(path);
  const isLink = fs.lstatSync(textToBytes(path), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const events = isLink ? mask | IN_DONT_FOLLOW : mask;
  for (let tried = 0; tried < MAX_TRIES; tried++) {
    const wd = call(`watch ${path}`, SYS.inotify_add_watch, fd, name, events);
    if (wd === wanted) return;
    if (wd > wanted) break;
    attempt(SYS.inotify_rm_watch, fd, wd);
    if (tried % BEFORE_DRAINING === 0) drain(fd);
  }
  throw new BackendError(`the inotify watch ${wanted} of ${path} cannot get its watch descriptor again`);
}

/** Reads all events that wait, without waiting for more. */
function drain(fd: number): void {
  const waiting = Buffer.alloc(4);
  call("count the unread events of an inotify instance", SYS.ioctl, fd, FIONREAD, waiting);
  const size = waiting.readInt32LE();
  if (size > 0) call("read events", SYS.read, fd, Buffer.alloc(size), size);
}

/** Where file systems are mounted for crimg itself, by their device numbers. */
function mountPoints(): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const { device, mountpoint } of parseMountinfo(readProc("self", "mountinfo")))
    found.set(device, [...(found.get(device) ?? []), mountpoint]);
  return found;
}
