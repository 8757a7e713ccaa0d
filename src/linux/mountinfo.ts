/** A line of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
export interface MountedFileSystem {
  /** As the kernel keeps it: 12 bits of major, 20 of minor. */
  readonly device: number;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly superOptions: readonly string[];
}

/** What is mounted, by the text of such a file; lines of another form are left out. */
export function parseMountinfo(text: string): MountedFileSystem[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , device = "", root, mountpoint] = before.split(" ");
    const [type = "", , options = ""] = after.split(" ");
    const [major = Number.NaN, minor = 0] = device.split(":").map(Number);
    if (root === undefined || mountpoint === undefined || Number.isNaN(major)) return [];
    return {
      ...{ device: (major << 20) | minor, root: unescaped(root), mountpoint: unescaped(mountpoint) },
      ...{ type, superOptions: options.split(",") },
    };
  });
}

/** Blanks and the like stand as three octal digits. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
