import fs from "node:fs";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textPayload } from "../../../../formats/linux-cr/write.js";
import { textToBytes } from "../../../../io/text.js";
import { F_GET_SEALS } from "../../../../linux/files.js";
import { PAGE_SIZE } from "../../../../linux/mman.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { DescriptorSource } from "../data-ranges.js";
import { isGone, plainName } from "../file-kind.js";
import type { CheckpointContext } from "./context.js";
import { writeUnlinked, writeUnlinkedExtra } from "./deleted.js";
import { fileMode } from "./file-mode.js";
import { writeIdentity } from "./identity.js";

const REGULAR = 1;
const MEMFD = 1003;

/**
 * FILE of a file that is mapped or executed and that no descriptor stands for. `path` leads to it whatever became of its
 * name, as those of /proc/PID/map_files do; `name` is what the kernel calls it.
 */
export function writeMappedFile(
  context: CheckpointContext,
  path: string,
  name: string,
  flags: number,
): number {
  const stat = fs.statSync(path, { bigint: true });
  const key = `mapped ${stat.dev}:${stat.ino} ${name} ${flags}`;
  return context.ref("FILE", key, (objref) => {
    const { writer } = context;
    writer.record(RECORDS.FILE, {
      f_type: REGULAR,
      f_mode: fileMode(flags, true),
      f_flags: flags,
      f_credref: context.cred,
    });
    const isDeleted = isGone(name, stat);
    const plain = isDeleted ? plainName(name) : name;
    writer.record(RECORDS.FILE_NAME, {}, textPayload(RECORDS.FILE_NAME, plain));
    const inode = { stat, path: plain, link: path };
    const open = (): DescriptorSource => context.use(DescriptorSource.open(path, plain));
    if (isDeleted) writeUnlinked(context, objref, inode, { open });
    // Whoever opens a file breaks its lease.
    writeIdentity(context, objref, stat, context.leases.forbidsReading(stat) ? undefined : open());
    if (isDeleted) writeUnlinkedExtra(context, objref, inode);
  });
}

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
