import fs from "node:fs";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { textToBytes } from "../../../io/text.js";
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
} from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { savedRanges } from "../memory/image.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, cString, openPath } from "../sys/syscall.js";
import { copyBytes, DescriptorSource } from "./file-data.js";
import type { OpenFileRecord } from "./image.js";
import { fileMode } from "./open-files.js";

const MEMFD = 1003;

/** FILE of a memfd that is mapped, with its pages when no other FILE has brought them. */
export function writeMemfd(
  context: CheckpointContext,
  path: string,
  name: string,
  isWritable: boolean,
): number {
  const stat = fs.statSync(path, { bigint: true });
  const flags = isWritable ? 2 : 0;
  return context.ref("FILE", `memfd ${stat.dev}:${stat.ino} ${flags}`, () => {
    context.writer.record(RECORDS.FILE, {
      f_type: MEMFD,
      f_mode: fileMode(flags, true),
      f_flags: flags,
      f_credref: context.cred,
    });
    const source = context.use(DescriptorSource.open(path, name));
    writeMemfdState(context, stat, name, source);
  });
}

/** MEMFD and, for the first FILE of its inode, the pages. */
export function writeMemfdState(
  context: CheckpointContext,
  stat: fs.BigIntStats,
  name: string,
  source: DescriptorSource,
): void {
  const { writer } = context;
  const inode = context.hidden("INODE", `memfd ${stat.dev}:${stat.ino}`);
  const plain = name.replace(/^\/memfd:/, "").replace(/ \(deleted\)$/, "");
  writer.record(
    RECORDS.MEMFD,
    {
      inode_objref: inode.objref,
      seals: sealsOf(source.fd),
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: stat.size,
    },
    Buffer.concat([textToBytes(plain), Buffer.alloc(1)]),
  );
  if (!inode.isNew) return;
  writer.pages(
    source.dataRanges().map(({ offset, size }) => ({
      key: BigInt(offset / PAGE_SIZE),
      pages: Math.ceil(size / PAGE_SIZE),
      from: { source, offset },
    })),
    1n,
  );
}

function sealsOf(fd: number): number {
  const seals = attempt(SYS.fcntl, fd, F_GET_SEALS);
  return Math.max(0, seals);
}

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
        copyBytes(this.image, offset, own, start, Math.min(end, Number(memfd.size)) - start);
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
