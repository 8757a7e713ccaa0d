import fs from "node:fs";
import type { Part } from "../../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { F_ADD_SEALS, F_SEAL_SEAL, MFD_ALLOW_SEALING, MFD_CLOEXEC } from "../../../../linux/files.js";
import { PAGE_SIZE } from "../../../../linux/mman.js";
import { O_CLOEXEC } from "../../../../linux/open-flags.js";
import type { StreamReader } from "../../../../model/linux-cr/reader.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt, call } from "../../sys/syscall.js";
import { savedRanges } from "../image-memory.js";
import { cString, openPath } from "./named.js";
import type { OpenFileRecord } from "./open-files.js";

/** Files of memfd_create(2), several of which may have been the same memory. */
export class MemFiles {
  readonly #made = new Map<number, { readonly fd: number; readonly seals: number }>();

  constructor(
    readonly reader: StreamReader,
    readonly image: number,
  ) {}

  open({ part, value }: OpenFileRecord): number {
    const { value: memfd, index } = this.reader.get(part, RECORDS.MEMFD);
    let own = this.#made.get(memfd.inode_objref)?.fd;
    if (own === undefined) {
      const name = this.reader.image.text(index);
      own = call(
        "make a memfd",
        SYS.memfd_create,
        cString(name),
        MFD_CLOEXEC | (memfd.seals === F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING),
      );
      this.#made.set(memfd.inode_objref, { fd: own, seals: memfd.seals });
      call("give a memfd its size", SYS.ftruncate, own, memfd.size);
      fs.fchmodSync(own, memfd.mode & 0o7777);
      const { uid, gid } = fs.fstatSync(own);
      if (uid !== memfd.uid || gid !== memfd.gid) fs.fchownSync(own, memfd.uid, memfd.gid);
      for (const { start, end, offset } of savedRanges(
        this.reader,
        this.#partWithPages(memfd.inode_objref) ?? part,
        "indexes",
        0,
        Math.ceil(Number(memfd.size) / PAGE_SIZE),
      ))
        copyRange(this.image, offset, own, start, Math.min(end, Number(memfd.size)) - start);
    }
    return openPath(`/proc/self/fd/${own}`, value.f_flags | O_CLOEXEC);
  }

  /** Seals that forbid new mappings come after those that there were. */
  seal(): void {
    for (const { fd, seals } of this.#made.values())
      if (seals > F_SEAL_SEAL) call("seal a memfd", SYS.fcntl, fd, F_ADD_SEALS, seals);
  }

  /** The FILE that brought the pages of a memfd: the first of them in the image, not in the order of opening. */
  #partWithPages(inode: number): Part | undefined {
    for (const part of this.reader.objects("FILE"))
      if (part.pageArrays.length > 0 && this.reader.find(part, RECORDS.MEMFD)?.value.inode_objref === inode)
        return part;
    return undefined;
  }

  close(): void {
    for (const { fd } of this.#made.values()) attempt(SYS.close, fd);
    this.#made.clear();
  }
}

const CHUNK = 1 << 20;

/** Copies bytes of the image into a file. */
export function copyRange(image: number, from: number, to: number, at: number, size: number): void {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size));
  for (let done = 0; done < size; ) {
    const got = fs.readSync(image, buffer, 0, Math.min(CHUNK, size - done), from + done);
    fs.writeSync(to, buffer, 0, got, at + done);
    done += got;
  }
}
