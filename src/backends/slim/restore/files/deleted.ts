import fs from "node:fs";
import path from "node:path";
import type { Part } from "../../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { BackendError } from "../../../../io/errors.js";
import { textToBytes } from "../../../../io/text.js";
import type { StreamReader } from "../../../../model/linux-cr/reader.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt, call } from "../../sys/syscall.js";
import { openPath } from "./named.js";
import type { ImageFile } from "./open-files.js";

const CONTENTS = 2;
const CONTENTS_ELSEWHERE = 2;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_CLOEXEC = 0o2000000;
const OPEN_ONCE = 0o100 | 0o200 | 0o1000;
const CHUNK = 1 << 20;
const NAMES_TRIED = 1000;

/**
 * Files whose names were gone. Contents in the image come back in a file that loses its name before a byte of it is
 * written; a substitute on disk is opened.
 */
export class DeletedFiles {
  /** Made anew, by the number that the FILEs of one deleted file share. */
  readonly #made = new Map<number, number>();

  constructor(
    readonly reader: StreamReader,
    readonly image: number,
  ) {}

  open(file: ImageFile): number {
    const flags = (file.value.f_flags & ~OPEN_ONCE) | O_CLOEXEC;
    const { value: unlinked } = this.reader.get(file.part, RECORDS.FILE_UNLINKED);
    if (unlinked.method !== CONTENTS)
      return openPath(this.reader.text(file.part, RECORDS.FILE_NAME, 1) ?? "", flags);
    const extra = this.reader.find(file.part, RECORDS.UNLINKED_EXTRA)?.value;
    const inode = extra?.inode_objref ?? -file.objref;
    let own = this.#made.get(inode);
    if (own === undefined) {
      own = makeUnlinked(file.path ?? "", unlinked.mode & 0o7777, unlinked.uid, unlinked.gid);
      this.#made.set(inode, own);
      writeContents(this.reader, this.image, own, contentsOf(this.reader, file, inode, extra?.flags ?? 0));
      call("give a deleted file its size", SYS.ftruncate, own, unlinked.size);
    }
    return openPath(`/proc/self/fd/${own}`, flags);
  }

  close(): void {
    for (const fd of this.#made.values()) attempt(SYS.close, fd);
    this.#made.clear();
  }
}

/** A file that had this name and has it no more: open for reading and writing. */
function makeUnlinked(name: string, mode: number, uid: number, gid: number): number {
  const directory = path.dirname(name);
  for (let i = 0; i < NAMES_TRIED; i++) {
    const tried = i === 0 ? name : path.join(directory, `.crimg-${path.basename(name).slice(0, 200)}.${i}`);
    if (fs.existsSync(textToBytes(tried))) continue;
    const fd = openPath(tried, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600);
    fs.unlinkSync(textToBytes(tried));
    fs.fchownSync(fd, uid, gid);
    fs.fchmodSync(fd, mode);
    return fd;
  }
  throw new BackendError(`no name is free in ${directory} for the deleted file ${name}`);
}

/** The FILE whose chunks are the contents: this one, or an earlier one of the same deleted file. */
function contentsOf(reader: StreamReader, file: ImageFile, inode: number, flags: number): Part {
  if ((flags & CONTENTS_ELSEWHERE) === 0) return file.part;
  for (const part of reader.objects("FILE")) {
    const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
    if (extra?.inode_objref === inode && (extra.flags & CONTENTS_ELSEWHERE) === 0) return part;
  }
  throw reader.image.error(
    file.part.records[0] ?? 0,
    `no FILE has the contents of the deleted file ${file.path}`,
  );
}

function writeContents(reader: StreamReader, image: number, own: number, part: Part): void {
  const buffer = Buffer.alloc(CHUNK);
  for (const chunk of part.parts) {
    if (chunk.rule !== "chunk") continue;
    const { index } = reader.get(chunk, RECORDS.BUFFER);
    const { offset, size } = reader.image.payload(index);
    const at = Number(reader.image.source.read(offset, 8).readBigUInt64LE());
    for (let done = 8; done < size; ) {
      const got = fs.readSync(image, buffer, 0, Math.min(CHUNK, size - done), offset + done);
      if (got === 0) throw new BackendError("the image ended before the contents of a deleted file");
      fs.writeSync(own, buffer, 0, got, at + done - 8);
      done += got;
    }
  }
}
