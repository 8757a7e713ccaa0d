import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = "/sys/fs/cgroup";
const made = new Set<string>();

process.on("exit", () => {
  for (const group of made) removeGroup(group);
});

/**
 * Puts a task into the group with this path of every controller that lets us make one; gives the directories of the groups.
 * A cpuset without processors takes no task.
 */
export function putIntoGroups(pid: number, path: string): string[] {
  return readdirSync(ROOT).flatMap((controller) => {
    if (!existsSync(join(ROOT, controller, "cgroup.procs"))) return [];
    const group = join(ROOT, controller, path);
    try {
      mkdirSync(group, { recursive: true });
      made.add(group);
      writeFileSync(join(group, "cgroup.procs"), String(pid));
      return [group];
    } catch {
      removeGroup(group);
      return [];
    }
  });
}

/** Removes a group without tasks, and those above it that are empty then. */
export function removeGroup(group: string): void {
  try {
    for (let at = group; dirname(dirname(at)) !== dirname(ROOT); at = dirname(at)) rmdirSync(at);
  } catch {
    // Others are in it, or it was never made.
  }
}
