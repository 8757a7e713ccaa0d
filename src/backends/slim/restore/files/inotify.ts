import fs from "node:fs";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { BackendError } from "../../../../io/errors.js";
import { textToBytes } from "../../../../io/text.js";
import { IN_DONT_FOLLOW } from "../../../../linux/files.js";
import { O_CLOEXEC } from "../../../../linux/open-flags.js";
import { FIONREAD } from "../../../../linux/tty.js";
import type { StreamReader } from "../../../../model/linux-cr/reader.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt, call } from "../../sys/syscall.js";
import { cString } from "./named.js";
import type { OpenFileRecord } from "./open-files.js";

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
  throw new BackendError(`the inotify watch ${wanted} of ${path} cannot get its number again`);
}

/** Reads all events that wait, without waiting for more. */
function drain(fd: number): void {
  const waiting = Buffer.alloc(4);
  call("tell what waits in an inotify instance", SYS.ioctl, fd, FIONREAD, waiting);
  const size = waiting.readInt32LE();
  if (size > 0) call("read events", SYS.read, fd, Buffer.alloc(size), size);
}
