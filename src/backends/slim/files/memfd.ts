import fs from "node:fs";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  S_IALLUGO,
} from "../../../linux/files.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC, O_RDWR } from "../../../linux/open-flags.js";
import { encodeFile } from "../../../model/linux-cr/files.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { decodeSpecial, encodeMemfd } from "../../../model/linux-cr/special-files.js";
import type { Memfd } from "../../../model/special-file.js";
import type { CheckpointContext } from "../checkpoint/context.js";
import { savedRanges } from "../memory/image.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt, call, cString, openPath } from "../sys/syscall.js";
import { copyBytes, DescriptorSource } from "./file-data.js";
import type { OpenFileRecord } from "./image.js";

/** FILE of a memfd that is mapped, with its pages when no other FILE has brought them. */
export function writeMemfd(
  context: CheckpointContext,
  path: string,
  name: string,
  isWritable: boolean,
): number {
  const stat = fs.statSync(path, { bigint: true });
  const flags = isWritable ? O_RDWR : 0;
  return context.ref("FILE", `memfd ${stat.dev}:${stat.ino} ${flags}`, (objref) => {
    const file = { type: "MEMFD", path: undefined, flags, position: 0n, owner: undefined } as const;
    const numbers = { objref, credentials: context.cred, tag: () => undefined };
    context.writer.records(encodeFile({ ...file, identity: undefined, deleted: undefined }, numbers));
    writeMemfdState(context, stat, name, context.use(DescriptorSource.open(path, name)));
  });
}

/** MEMFD and, for the first FILE of its inode, the pages. */
export function writeMemfdState(
  context: CheckpointContext,
  stat: fs.BigIntStats,
  link: string,
  source: DescriptorSource,
): void {
  const { writer } = context;
  const inode = context.hidden("INODE", `memfd ${stat.dev}:${stat.ino}`);
  const memfd = {
    name: link.replace(/^\/memfd:/, "").replace(/ \(deleted\)$/, ""),
    ...{ size: stat.size, seals: sealsOf(source.fd), mode: Number(stat.mode), hugePages: 0 },
    ...{ uid: Number(stat.uid), gid: Number(stat.gid) },
  };
  writer.records([encodeMemfd(memfd, inode.objref)]);
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
    const { inode_objref: inode } = this.reader.get(part, RECORDS.MEMFD).value;
    let own = this.#made.get(inode)?.fd;
    if (own === undefined) {
      const memfd = decodeSpecial(this.reader, part, "MEMFD") as Memfd;
      own = call(
        "make a memfd",
        SYS.memfd_create,
        cString(memfd.name),
        MFD_CLOEXEC | (memfd.seals === F_SEAL_SEAL ? 0 : MFD_ALLOW_SEALING),
      );
      this.#made.set(inode, { fd: own, seals: memfd.seals });
      call("give a memfd its size", SYS.ftruncate, own, memfd.size);
      if (memfd.mode !== undefined) fs.fchmodSync(own, memfd.mode & S_IALLUGO);
      const { uid, gid } = fs.fstatSync(own);
      if (uid !== memfd.uid || gid !== memfd.gid) fs.fchownSync(own, memfd.uid, memfd.gid);
      for (const { start, end, offset } of savedRanges(
        this.reader,
        this.#partWithPages(inode) ?? part,
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
