import fs from "node:fs";
import { KCMP_FILE } from "../../../linux/files.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { readFdInfo } from "../proc/fdinfo.js";
import { procNumbers } from "../proc/read.js";
import type { RestoreContext } from "../restore/context.js";
import { compare, type Difference } from "../restore/difference.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import type { ImageProcess } from "../tasks/image.js";

/** Flags of open(2) that stay with a file: access mode, O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME, O_PATH. */
const KEPT = 0o3 | 0o2000 | 0o4000 | 0o40000 | 0o1000000 | 0o10000000;

/** Descriptors of a task that are not as the image has them: numbers, open files, flags, offsets. */
export function descriptorDifferences(
  context: RestoreContext,
  { ids: { pid }, objects }: ImageProcess,
): Difference[] {
  const table = context.image.table(objects?.files_objref ?? 0);
  const numbers = compare(
    "its descriptors",
    table.map(({ fd }) => fd).join(" "),
    procNumbers(pid, "fd").join(" "),
  );
  if (numbers.length > 0) return numbers;
  return table.flatMap(({ fd, objref, closeOnExec }) => {
    const name = `descriptor ${fd}`;
    const own = context.files.get(objref);
    const { value } = context.files.file(objref);
    if (attempt(SYS.kcmp, process.pid, pid, KCMP_FILE, own, fd) !== 0)
      return compare(name, linkOf(process.pid, own), `another open file, ${linkOf(pid, fd)}`);
    const { flags, position } = readFdInfo(pid, fd);
    const isRegular = fs.fstatSync(own).isFile();
    return [
      ...compare(name, closesWords(closeOnExec), closesWords((flags & O_CLOEXEC) !== 0)),
      ...compare(name, flagWords(value.f_flags), flagWords(flags)),
      ...(isRegular ? compare(name, `at ${value.f_pos}`, `at ${position}`) : []),
    ];
  });
}

function flagWords(flags: number): string {
  return `flags 0${(flags & KEPT).toString(8)}`;
}

function closesWords(closes: boolean): string {
  return closes ? "closed by exec" : "kept over exec";
}

function linkOf(pid: number, fd: number): string {
  return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
}
