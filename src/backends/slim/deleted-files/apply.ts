import fs from "node:fs";
import path from "node:path";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import { AT_FDCWD, S_IALLUGO, S_IFIFO } from "../../../linux/files.js";
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
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { copyFile } from "../files/file-data.js";
import type { OpenFileRecord } from "../files/image.js";
import type { Journal } from "../journal.js";
import { makeNode, Names, type OwnName, removeName } from "../names.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, openPath } from "../sys/syscall.js";
import { chunksOf, type DeletedFile, deletedFilesOf, linkTarget } from "./image.js";

/** FILE_UNLINKED.kind. */
const KIND = { directory: 2, fifo: 3, symlink: 4, character: 5, block: 6 };
const FIFO = 3;
/** UNLINKED_EXTRA.flags and FILE_IDENTITY.flags. */
const HAS_ATIME = 1;
const HAS_MTIME = 8;
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
  #groups: ReadonlyMap<number, DeletedFile> | undefined;

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
    const known = this.#handles.get(family.inode);
    if (known !== undefined) return known;
    const handle = family.method === "relink" ? this.#linked(family) : this.#anew(family);
    this.#handles.set(family.inode, handle);
    return handle;
  }

  /** The file itself, which a link has kept. */
  #linked(family: DeletedFile): number {
    const { substitute } = family;
    const handle = openPath(substitute, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (family.removes) this.#spent.push(substitute);
    this.#openAll(family, handle, pathsOf(family), new Map());
    return handle;
  }

  /** A file of the same kind with the same contents. */
  #anew(family: DeletedFile): number {
    if (family.method === "copy" && family.removes) this.#spent.push(family.substitute);
    const never = family.files.find(({ value }) => (value.f_flags & __O_TMPFILE) !== 0);
    const handle =
      (never && family.kind === 1 ? this.#unnamed(family, never) : undefined) ?? this.#named(family);
    setAttributes(this.reader, family, `/proc/self/fd/${handle}`);
    return handle;
  }

  /** A file that never had a name (O_TMPFILE) gets none, and can be linked as before. Undefined where that cannot be. */
  #unnamed(family: DeletedFile, first: OpenFileRecord): number | undefined {
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

  #named(family: DeletedFile): number {
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
    if (family.kind === 1) this.#fill(family, `/proc/self/fd/${handle}`);
    return handle;
  }

  #make(family: DeletedFile, name: string): void {
    const bytes = textToBytes(name);
    switch (family.kind) {
      case KIND.directory:
        fs.mkdirSync(bytes, 0o700);
        return;
      case KIND.symlink:
        fs.symlinkSync(linkTarget(this.reader, family), bytes);
        return;
      case KIND.fifo:
        makeNode(name, S_IFIFO | 0o600, 0);
        return;
      case KIND.character:
      case KIND.block:
        makeNode(name, family.mode, family.rdev);
        return;
      default:
        attempt(SYS.close, openPath(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600));
    }
  }

  /** Gives the file one name after the other that it had, and opens what was opened by each. */
  #openAll(family: DeletedFile, handle: number, wanted: readonly string[], names: Map<string, string>): void {
    const [next, ...others] = wanted;
    if (next === undefined) {
      for (const file of family.files) {
        const name = names.get(file.path ?? "") ?? family.substitute;
        // Ends of a fifo are opened when both can be.
        if (file.value.f_type === FIFO) this.#fifos.set(file.objref, openPath(name, O_PATH | O_CLOEXEC));
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

  #fill(family: DeletedFile, link: string): void {
    const fd = openPath(link, O_RDWR | O_CLOEXEC);
    try {
      fillDeleted(this.reader, this.image, family, fd);
    } finally {
      attempt(SYS.close, fd);
    }
  }
}

/** The paths by which a deleted file was opened, each once. */
function pathsOf({ files }: DeletedFile): string[] {
  return [...new Set(files.map((file) => file.path ?? "/"))];
}

/** Flags to open a file again that is there: nothing is made, and it is no file without a name this time. */
function flagsOf({ value }: OpenFileRecord): number {
  const once = OPEN_ONCE | ((value.f_flags & __O_TMPFILE) === 0 ? 0 : O_TMPFILE);
  return (value.f_flags & ~once) | O_NOCTTY | O_CLOEXEC;
}

/** Writes the contents of a deleted regular file into `fd`: from its copy, or from the image, open as `image`. */
function fillDeleted(reader: StreamReader, image: number, family: DeletedFile, fd: number): void {
  if (family.method === "copy") {
    const source = fs.openSync(textToBytes(family.substitute), "r");
    try {
      copyFile(source, fd);
    } finally {
      fs.closeSync(source);
    }
    return;
  }
  const buffer = Buffer.alloc(CHUNK);
  for (const { start, offset, size } of chunksOf(reader, family))
    for (let done = 0; done < size; ) {
      const got = fs.readSync(image, buffer, 0, Math.min(CHUNK, size - done), offset + done);
      if (got === 0) throw new BackendError("the image ended before the contents of a deleted file");
      fs.writeSync(fd, buffer, 0, got, start + done);
      done += got;
    }
  call("give a deleted file its size", SYS.ftruncate, fd, family.size);
}

/** Owner, permissions and times; `link` leads to the file. A link and a node keep the permissions they were made with. */
function setAttributes(reader: StreamReader, family: DeletedFile, link: string): void {
  const { uid, gid, mode, kind } = family;
  const now = fs.statSync(link);
  if (now.uid !== uid || now.gid !== gid) fs.chownSync(link, uid, gid);
  if (kind !== KIND.symlink) fs.chmodSync(link, mode & S_IALLUGO);
  const times = Buffer.alloc(32);
  const put = (at: number, seconds: bigint | undefined, nanoseconds: number): void => {
    times.writeBigInt64LE(seconds ?? 0n, at);
    times.writeBigInt64LE(seconds === undefined ? UTIME_OMIT : BigInt(nanoseconds), at + 8);
  };
  const [{ part }] = family.files as [OpenFileRecord];
  const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
  const identity = reader.find(part, RECORDS.FILE_IDENTITY)?.value;
  const atime = extra !== undefined && (extra.flags & HAS_ATIME) !== 0 ? extra : undefined;
  const mtime = identity !== undefined && (identity.flags & HAS_MTIME) !== 0 ? identity : undefined;
  put(0, atime?.atime_sec, atime?.atime_nsec ?? 0);
  put(16, mtime?.mtime_sec, mtime?.mtime_nsec ?? 0);
  call("give a deleted file its times", SYS.utimensat, AT_FDCWD, Buffer.from(`${link}\0`), times, 0);
}
