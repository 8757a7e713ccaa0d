import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFMT, S_ISUID, SET_ID_BITS } from "../../linux/files.js";
import { O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY } from "../../linux/open-flags.js";
import type { Checkpoint } from "../checkpoint.js";
import type { Lock } from "../lock.js";
import type { DeletedFile, FileOwner, OpenFile } from "../open-file.js";
import type { SpecialFile } from "../special-file.js";
import { type Access, READ, SEARCH, WRITE } from "./access.js";
import type { Bearer } from "./bearer.js";
import type { Right } from "./right.js";
import { isAlarm, ownUid } from "./tasks.js";

/** Devices that every user may open, null(4), random(4), tty(4), pts(4). */
const COMMON_DEVICES = /^\/?dev\/(null|zero|full|random|urandom|tty|ptmx|pts\/ptmx)$/;

/** Types of open files that are made anew and take a capability. */
const PRIVILEGED: Readonly<Record<string, string>> = {
  FANOTIFY: "a fanotify group",
  BPFMAP: "a BPF map",
  TUNF: "a network tunnel",
};

const NOTHING = "none";

/** What open files, and those that are made for them, ask for. Without `access` files of the host are not looked at. */
export function* fileRights(
  checkpoint: Checkpoint,
  owner: Bearer,
  access: Access | undefined,
): Generator<Right> {
  const { files, tasks, locks } = checkpoint;
  const programs = new Set(tasks.flatMap(({ exe }) => exe ?? []));
  const wanted = access === undefined ? undefined : wantedOf(checkpoint);
  for (const file of files.all) {
    const about = { path: file.path, origin: file.origin };
    const made = PRIVILEGED[file.type];
    if (made !== undefined) yield { name: "object", asked: made, had: NOTHING, ...about };
    yield* signalRights(file, owner);
    if (programs.has(file)) yield* programRights(file, access);
    if (file.special !== undefined) yield* specialRights(file.special, access, about);
    if (file.deleted !== undefined) yield* deletedRights(file.deleted, owner, access);
    else if (file.path !== undefined) yield* openRights(file, access, wanted?.get(file) ?? 0);
  }
  if (access !== undefined) yield* leaseRights(locks, owner, access);
}

/** Permissions that each file must give: by how it is open, by what is mapped of it, and by what it is to a task. */
function wantedOf(checkpoint: Checkpoint): Map<OpenFile, number> {
  const wanted = new Map<OpenFile, number>();
  const want = (file: OpenFile | undefined, bits: number): void => {
    if (file !== undefined) wanted.set(file, (wanted.get(file) ?? 0) | bits);
  };
  const { files, tasks } = checkpoint;
  const held = heldFiles(checkpoint);
  const places = new Set<OpenFile | undefined>();
  for (const { exe, cwd, root, mappings } of tasks) {
    for (const place of [exe, cwd, root]) {
      places.add(place);
      want(place, SEARCH);
    }
    for (const { file, shared, permissions } of mappings)
      want(file, shared && permissions.includes("w") ? READ | WRITE : READ);
  }
  // A program need not be readable to run, and a directory not to be entered; a descriptor of it is more.
  for (const file of files.all) if (held.has(file) || !places.has(file)) want(file, asOpen(file.flags ?? 0));
  return wanted;
}

function asOpen(flags: number): number {
  if ((flags & O_PATH) !== 0) return 0;
  const access = flags & O_ACCMODE;
  return (access === O_WRONLY ? 0 : READ) | (access === O_RDONLY ? 0 : WRITE);
}

/** Open files that tasks can use: of descriptors, and of messages that wait in sockets. */
function heldFiles({ files, tasks }: Checkpoint): ReadonlySet<OpenFile | undefined> {
  const held = new Set<OpenFile | undefined>();
  for (const { descriptors } of tasks) for (const { file } of descriptors?.descriptors ?? []) held.add(file);
  for (const { socket } of files.all)
    if (socket?.family === "UNIX")
      for (const packet of socket.received()) for (const id of packet.files) held.add(files.get(id));
  return held;
}

function* openRights(file: OpenFile, access: Access | undefined, wanted: number): Generator<Right> {
  const { path = "", mode, origin, type } = file;
  // A pseudo terminal is made anew.
  if (COMMON_DEVICES.test(path) || isPseudoTerminal(file)) return;
  const imagePath = absolute(path);
  const stat = access?.stat(imagePath)?.stat;
  const isDevice = isDeviceMode(stat?.mode ?? mode ?? 0);
  const about = { path, origin };
  if (access === undefined || stat === undefined) {
    if (isDevice) yield { name: "device", asked: `the device ${path}`, had: NOTHING, ...about };
    return;
  }
  // A socket is made by binding it, which is asked of its directory (sockets.ts).
  if (file.socket !== undefined || type === "TUNF") return;
  if (access.may(imagePath, wanted) === false)
    yield {
      name: isDevice ? "device" : "file",
      asked: `${isDevice ? "the device" : "the file"} ${path} ${wantedText(wanted)}`,
      had: NOTHING,
      ...about,
    };
}

function isPseudoTerminal({ special }: OpenFile): boolean {
  return special?.kind === "terminal" && special.index !== undefined;
}

function wantedText(bits: number): string {
  const words = [
    bits & READ ? "to read" : "",
    bits & WRITE ? "to write" : "",
    bits & SEARCH ? "to run or enter" : "",
  ];
  return words.filter(Boolean).join(" and ");
}

/** A program that gives the rights of its owner or group. */
function* programRights({ path, mode, origin }: OpenFile, access: Access | undefined): Generator<Right> {
  const bits = access?.stat(path ?? "")?.stat.mode ?? mode ?? 0;
  if ((bits & SET_ID_BITS) !== 0)
    yield { name: "setuid", asked: `the program ${path}, ${setIdText(bits)}`, had: NOTHING, path, origin };
}

/** What takes a capability, or rights to a path, of files that have none of their own. */
function* specialRights(
  special: SpecialFile,
  access: Access | undefined,
  about: Pick<Right, "path" | "origin">,
): Generator<Right> {
  if (special.kind === "timerfd" && isAlarm(special.timer.clock))
    yield { name: "object", asked: "a timer that wakes the machine", had: NOTHING, ...about };
  if (special.kind !== "inotify") return;
  // inotify_add_watch(2) asks for permission to read; a handle of the file system takes CAP_DAC_READ_SEARCH.
  for (const { path } of special.watches)
    if (path === undefined) yield { name: "file", asked: "a watch by inode number", had: NOTHING, ...about };
    else if (access?.may(absolute(path), READ) === false)
      yield { name: "file", asked: `a watch of ${path}`, had: NOTHING, ...about, path };
}

/** A file that is made again: with its owner, mode and place. */
function* deletedRights(deleted: DeletedFile, owner: Bearer, access: Access | undefined): Generator<Right> {
  const { ghost, path, keptIn, method, isRemoved, origin } = deleted;
  const about = { path, origin };
  const what = path ?? keptIn;
  if (ghost !== undefined) {
    const { mode, uid, gid } = ghost;
    const isOwn = uid === owner.uid && owner.gids.has(gid);
    if (isDeviceMode(mode)) yield { name: "device", asked: `a new device ${what}`, had: NOTHING, ...about };
    if ((mode & S_IFMT) !== S_IFDIR && (mode & SET_ID_BITS) !== 0 && !isOwn)
      yield {
        name: "setuid",
        asked: `a new file ${what} of uid ${uid} and gid ${gid}, ${setIdText(mode)}`,
        had: NOTHING,
        ...about,
      };
    else if (!isOwn)
      yield {
        name: "file",
        asked: `a new file ${what} of uid ${uid} and gid ${gid}`,
        had: ownUid(owner),
        ...about,
      };
  } else if (method !== "process") {
    if (access?.may(absolute(keptIn), READ) === false)
      yield { name: "file", asked: `the file ${keptIn} under another name`, had: NOTHING, ...about };
    else if (isRemoved && access?.mayRemove(absolute(keptIn)) === false)
      yield { name: "file", asked: `the removal of ${keptIn}`, had: NOTHING, ...about };
  }
  if (path !== undefined && access?.mayMake(absolute(path)) === false)
    yield { name: "file", asked: `a new file ${path}`, had: NOTHING, ...about };
}

/** CRIU stores paths of deleted files without the first slash. */
function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

/** The kernel asks the user id that was stored by F_SETOWN whether the signal may be sent, fcntl(2). */
function* signalRights({ owner: to, path, origin }: OpenFile, owner: Bearer): Generator<Right> {
  const id = to === undefined || to.pid === 0 ? undefined : foreignUid(to, owner);
  if (to !== undefined && id !== undefined)
    yield {
      name: "signal",
      asked: `signals to ${to.kind} ${to.pid} in the name of uid ${id}`,
      had: ownUid(owner),
      ...{ id, path, origin },
    };
}

function foreignUid({ uid, euid }: FileOwner, owner: Bearer): number | undefined {
  return [uid, euid].find((id) => id !== owner.uid);
}

/** A lease on a file of somebody else takes CAP_LEASE, fcntl(2). */
function* leaseRights(locks: readonly Lock[], owner: Bearer, access: Access): Generator<Right> {
  for (const { kind, file, pid, origin } of locks) {
    if (kind !== "lease" || file?.path === undefined) continue;
    const uid = access.stat(file.path)?.stat.uid;
    if (uid !== undefined && uid !== owner.uid)
      yield {
        name: "file",
        asked: `a lease on ${file.path} of uid ${uid}`,
        had: ownUid(owner),
        ...{ pid, path: file.path, origin },
      };
  }
}

function isDeviceMode(mode: number): boolean {
  const type = mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK;
}

function setIdText(mode: number): string {
  return mode & S_ISUID ? "set-user-ID" : "set-group-ID";
}
