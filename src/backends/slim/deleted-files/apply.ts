import fs from "node:fs";
import path from "node:path";
import { FILE_TYPE } from "../../../formats/linux-cr/tables/files.js";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import {
  AT_FDCWD,
  S_IALLUGO,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../../../linux/files.js";
import {
  __O_TMPFILE,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDWR,
  O_TMPFILE,
} from "../../../linux/open-flags.js";
import { timeFields } from "../../../model/linux-cr/file-identity.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { copyFile } from "../files/file-data.js";
import type { OpenFileRecord } from "../files/image.js";
import type { Journal } from "../journal.js";
import { makeNode, Names, type OwnName, removeName } from "../names.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import { type DeletedFamily, deletedFilesOf } from "./image.js";

const UTIME_OMIT = (1n << 30n) - 2n;
const CHUNK = 1 << 20;
const OPEN_ONCE = 0o100 | 0o200 | 0o1000;

/**
 * Files whose names were gone. They get the names that they had, for the moment in which they are opened: made anew from
 * the contents in the image or from a copy, or the file itself that a link has kept. All such names are in a journal, so
 * that none stays, however this run ends.
 */
export class DeletedFiles {
  readonly #names: Names;
  /** Open already, by FILE. */
  readonly #open = new Map<number, number>();
  /** What leads to a fifo by the name that it had, by FILE. */
  readonly #fifos = new Map<number, number>();
  /** What leads to a file and does not hold it open (O_PATH), by the number that its FILEs share. */
  readonly #handles = new Map<number, number>();
  /** Substitutes on disk that go once the restart has succeeded. */
  readonly #spent: string[] = [];
  /** By FILE. */
  #groups: ReadonlyMap<number, DeletedFamily> | undefined;

  constructor(
    readonly reader: StreamReader,
    readonly image: number,
    readonly journal: Journal,
    /** A FILE by its number, with the access mode that it must have. */
    readonly file: (objref: number) => OpenFileRecord,
  ) {
    this.#names = new Names(journal);
  }

  /** The descriptor of crimg for a FILE. Errors: BackendError naming the file. */
  open(file: OpenFileRecord): number {
    this.#bring(file);
    const fd = this.#open.get(file.objref);
    if (fd === undefined) throw new BackendError(`the deleted file ${file.path} was not opened`);
    this.#open.delete(file.objref);
    return fd;
  }

  /** A path that leads to a deleted fifo. */
  link(file: OpenFileRecord): string {
    const handle = this.#bring(file);
    return `/proc/self/fd/${this.#fifos.get(file.objref) ?? handle}`;
  }

  /** The tasks live on whatever becomes of crimg: what held their deleted files goes with this run. */
  note(): void {
    for (const name of this.#spent) {
      const stat = fs.lstatSync(textToBytes(name), { bigint: true, throwIfNoEntry: false });
      if (stat !== undefined) this.journal.name(name, stat);
    }
  }

  /** Nothing that held a deleted file is needed any more. */
  end(): void {
    for (const name of this.#spent.splice(0)) removeName(name);
    this.journal.end();
  }

  /** Leaves the disk as it was found; after `end` only closes what is open. */
  close(): void {
    this.journal.undo();
    for (const fd of [...this.#open.values(), ...this.#fifos.values(), ...this.#handles.values()])
      attempt(SYS.close, fd);
    this.#open.clear();
    this.#fifos.clear();
    this.#handles.clear();
  }

  /** Makes or finds the file, and opens all its FILEs. Gives what leads to it. */
  #bring(file: OpenFileRecord): number {
    this.#groups ??= deletedFilesOf(this.reader, this.file);
    const family = this.#groups.get(file.objref);
    if (family === undefined) throw new BackendError(`FILE ${file.objref} was not deleted`);
    const known = this.#handles.get(family.number);
    if (known !== undefined) return known;
    const handle = family.deleted.method === "link remap" ? this.#linked(family) : this.#anew(family);
    this.#handles.set(family.number, handle);
    return handle;
  }

  /** The file itself, which a link has kept. */
  #linked(family: DeletedFamily): number {
    const { substitute } = family;
    const handle = openPath(substitute, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (family.deleted.isRemoved) this.#spent.push(substitute);
    this.#openAll(family, handle, pathsOf(family), new Map());
    return handle;
  }

  /** A file of the same kind with the same contents. */
  #anew(family: DeletedFamily): number {
    const { method, isRemoved } = family.deleted;
    if (method === "copy" && isRemoved) this.#spent.push(family.substitute);
    const never = family.files.find(({ value }) => (value.f_flags & __O_TMPFILE) !== 0);
    const handle =
      (never && typeOf(family) === S_IFREG ? this.#unnamed(family, never) : undefined) ?? this.#named(family);
    setAttributes(family, `/proc/self/fd/${handle}`);
    return handle;
  }

  /** A file that never had a name (O_TMPFILE) gets none, and can be linked as before. Undefined where that cannot be. */
  #unnamed(family: DeletedFamily, first: OpenFileRecord): number | undefined {
    const directory = path.posix.dirname(first.path ?? "/");
    const flags = (first.value.f_flags & ~OPEN_ONCE) | O_TMPFILE | O_CLOEXEC;
    const fd = this.#names.withDirectories(directory, () =>
      attempt(SYS.openat, -100, Buffer.concat([textToBytes(directory), Buffer.alloc(1)]), flags, 0o600),
    );
    if (fd < 0) return undefined;
    const link = `/proc/self/fd/${fd}`;
    this.#open.set(first.objref, fd);
    for (const file of family.files)
      if (file !== first) this.#open.set(file.objref, openPath(link, flagsOf(file)));
    this.#fill(family, link);
    return openPath(link, O_PATH | O_CLOEXEC);
  }

  #named(family: DeletedFamily): number {
    const [wanted = "/", ...others] = pathsOf(family);
    const directory = path.posix.dirname(wanted);
    let handle = -1;
    this.#names.withDirectories(directory, () => {
      const made = this.#names.make(directory, wanted, (name) => this.#make(family, name));
      const own = this.#names.move(made, wanted) ?? made;
      try {
        handle = openPath(own.path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        this.#openAll(family, handle, others, new Map([[wanted, own.path]]));
      } finally {
        own.remove();
      }
    });
    if (typeOf(family) === S_IFREG) this.#fill(family, `/proc/self/fd/${handle}`);
    return handle;
  }

  #make(family: DeletedFamily, name: string): void {
    const bytes = textToBytes(name);
    const { inode, ghost } = family.deleted;
    switch (typeOf(family)) {
      case S_IFDIR:
        fs.mkdirSync(bytes, 0o700);
        return;
      case S_IFLNK:
        if (ghost?.symlinkTarget === undefined)
          throw new BackendError(`the image has no target for the symbolic link ${family.files[0]?.path}`);
        fs.symlinkSync(textToBytes(ghost.symlinkTarget), bytes);
        return;
      case S_IFIFO:
        makeNode(name, S_IFIFO | 0o600, 0);
        return;
      case S_IFCHR:
      case S_IFBLK:
        makeNode(name, inode.mode, inode.rdev ?? 0);
        return;
      default:
        attempt(SYS.close, openPath(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600));
    }
  }

  /** Gives the file one name after the other that it had, and opens what was opened by each. */
  #openAll(
    family: DeletedFamily,
    handle: number,
    wanted: readonly string[],
    names: Map<string, string>,
  ): void {
    const [next, ...others] = wanted;
    if (next === undefined) {
      for (const file of family.files) {
        const name = names.get(file.path ?? "") ?? family.substitute;
        // Ends of a fifo are opened when both can be.
        if (file.value.f_type === FILE_TYPE.fifo)
          this.#fifos.set(file.objref, openPath(name, O_PATH | O_CLOEXEC));
        else this.#open.set(file.objref, openPath(name, flagsOf(file)));
      }
      return;
    }
    this.#names.withDirectories(path.posix.dirname(next), () => {
      const made: OwnName | number = this.#names.link(`/proc/self/fd/${handle}`, next);
      if (typeof made !== "number") names.set(next, made.path);
      else names.set(next, `/proc/self/fd/${handle}`);
      try {
        this.#openAll(family, handle, others, names);
      } finally {
        if (typeof made !== "number") made.remove();
      }
    });
  }

  #fill(family: DeletedFamily, link: string): void {
    const fd = openPath(link, O_RDWR | O_CLOEXEC);
    try {
      fillDeleted(this.image, family, fd);
    } finally {
      attempt(SYS.close, fd);
    }
  }
}

/** The paths by which a deleted file was opened, each once. */
function pathsOf({ files }: DeletedFamily): string[] {
  return [...new Set(files.map((file) => file.path ?? "/"))];
}

/** Flags to open a file again that is there: nothing is made, and it is no file without a name this time. */
function flagsOf({ value }: OpenFileRecord): number {
  const once = OPEN_ONCE | ((value.f_flags & __O_TMPFILE) === 0 ? 0 : O_TMPFILE);
  return (value.f_flags & ~once) | O_NOCTTY | O_CLOEXEC;
}

/** Writes the contents of a deleted regular file into `fd`: from its copy, or from the image, open as `image`. */
function fillDeleted(image: number, { deleted, substitute }: DeletedFamily, fd: number): void {
  if (deleted.method === "copy") {
    const source = fs.openSync(textToBytes(substitute), "r");
    try {
      copyFile(source, fd);
    } finally {
      fs.closeSync(source);
    }
    return;
  }
  const buffer = Buffer.alloc(CHUNK);
  for (const { at, offset, size } of deleted.ghost?.pieces() ?? [])
    for (let done = 0; done < size; ) {
      const got = fs.readSync(image, buffer, 0, Math.min(CHUNK, size - done), offset + done);
      if (got === 0) throw new BackendError("the image ended before the contents of a deleted file");
      fs.writeSync(fd, buffer, 0, got, at + done);
      done += got;
    }
  call("give a deleted file its size", SYS.ftruncate, fd, deleted.inode.size);
}

/** Owner, permissions and times; `link` leads to the file. A link and a node keep the permissions they were made with. */
function setAttributes(family: DeletedFamily, link: string): void {
  const { uid, gid, mode, atime, mtime } = family.deleted.inode;
  const now = fs.statSync(link);
  if (now.uid !== uid || now.gid !== gid) fs.chownSync(link, uid, gid);
  if (typeOf(family) !== S_IFLNK) fs.chmodSync(link, mode & S_IALLUGO);
  const times = Buffer.alloc(32);
  for (const [i, time] of [atime, mtime].entries()) {
    const { seconds, nanoseconds } = timeFields(time ?? 0n);
    times.writeBigInt64LE(seconds, i * 16);
    times.writeBigInt64LE(time === undefined ? UTIME_OMIT : BigInt(nanoseconds), i * 16 + 8);
  }
  call("give a deleted file its times", SYS.utimensat, AT_FDCWD, Buffer.from(`${link}\0`), times, 0);
}

function typeOf({ deleted }: DeletedFamily): number {
  return deleted.inode.mode & S_IFMT;
}
