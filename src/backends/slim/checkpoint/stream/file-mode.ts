import { O_ACCMODE, O_PATH, O_RDWR, O_WRONLY } from "../../../../linux/open-flags.js";

/** FMODE bits of FILE.f_mode: linux/fs.h. */
const FMODE = { read: 1, write: 2, seek: 4, pread: 8, pwrite: 16 };

/** FILE.f_mode of a file opened with these flags of open(2). */
export function fileMode(flags: number, canSeek: boolean): number {
  if ((flags & O_PATH) !== 0) return 0;
  const access = flags & O_ACCMODE;
  const seeks = canSeek ? FMODE.seek | FMODE.pread | FMODE.pwrite : 0;
  return (
    (access === O_WRONLY ? 0 : FMODE.read) |
    (access >= O_WRONLY && access <= O_RDWR ? FMODE.write : 0) |
    seeks
  );
}
