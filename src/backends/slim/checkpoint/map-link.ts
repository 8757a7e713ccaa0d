import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import type { Vma } from "../proc/mappings.js";

/**
 * A path to what an area maps: the link in /proc/PID/map_files, which leads there whatever became of its name; for those
 * without CAP_CHECKPOINT_RESTORE its name, if that still leads to the same inode, proc_pid_map_files(5).
 * Errors: BackendError naming the task and the area.
 */
export function mapLink(pid: number, { start, end, inode, name }: Vma): string {
  const link = `/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`;
  try {
    fs.statSync(link);
    return link;
  } catch (error) {
    const named = fs.statSync(textToBytes(name), { throwIfNoEntry: false });
    if (named !== undefined && named.ino === inode) return name;
    throw new BackendError(
      `task ${pid} maps ${name} at 0x${start.toString(16)}, and only the capability CAP_CHECKPOINT_RESTORE leads to what is mapped without a name`,
      { cause: error },
    );
  }
}
