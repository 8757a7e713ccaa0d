import { FMODE_LSEEK, FMODE_PREAD, FMODE_PWRITE, FMODE_READ, FMODE_WRITE } from "../../../../linux/files.js";
import { O_ACCMODE, O_PATH, O_RDWR, O_WRONLY } from "../../../../linux/open-flags.js";

/** FILE.f_mode of a file opened with these flags of open(2). */
export function fileMode(flags: number, canSeek: boolean): number {
  if ((flags & O_PATH) !== 0) return 0;
  const access = flags & O_ACCMODE;
  const seeks = canSeek ? FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE : 0;
  return (
    (access === O_WRONLY ? 0 : FMODE_READ) |
    (access >= O_WRONLY && access <= O_RDWR ? FMODE_WRITE : 0) |
    seeks
  );
}
