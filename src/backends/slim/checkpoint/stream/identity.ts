import type fs from "node:fs";
import { readBuildId } from "../../../../formats/elf/build-id.js";
import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { ByteSource } from "../../../../io/source.js";
import { NSEC_PER_SEC } from "../../../../linux/time.js";
import type { CheckpointContext } from "./context.js";

const STORED = { mode: 1, inode: 2, size: 4, mtime: 8 };

/** FILE_IDENTITY: what a restart compares the file with that it finds. `source` is given for what may be a program. */
export function writeIdentity(
  { writer }: CheckpointContext,
  objref: number,
  stat: fs.BigIntStats,
  source: ByteSource | undefined,
): void {
  writer.record(
    RECORDS.FILE_IDENTITY,
    {
      file_objref: objref,
      mode: Number(stat.mode),
      dev: stat.dev,
      ino: stat.ino,
      size: stat.size,
      mtime_sec: stat.mtimeNs / NSEC_PER_SEC,
      mtime_nsec: Number(stat.mtimeNs % NSEC_PER_SEC),
      flags: STORED.mode | STORED.inode | STORED.size | STORED.mtime,
    },
    source === undefined ? undefined : readBuildId(source),
  );
}
