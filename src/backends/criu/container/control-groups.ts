import fs from "node:fs";
import path from "node:path";
import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { BackendError, ioError } from "../../../io/errors.js";
import { LIVE_HOST } from "../../../linux/host-files.js";
import { parseMountinfo } from "../../../linux/mountinfo.js";

/** cpuset(7): a group takes no task before these are set, and a new one has none. */
const CPUSET = ["cpuset.cpus", "cpuset.mems"];

/** A hierarchy of control groups on this host, cgroups(7). */
interface Hierarchy {
  readonly directory: string;
  /** Controllers of version 1, `name=systemd` among them; empty for version 2. */
  readonly controllers: readonly string[];
}

/** The hierarchies that are mounted as a whole. */
function hierarchies(): Hierarchy[] {
  return parseMountinfo(LIVE_HOST.text("/proc/self/mountinfo") ?? "").flatMap((each): Hierarchy[] => {
    const { root, type, mountpoint: directory, superOptions } = each;
    if (root !== "/" || (type !== "cgroup" && type !== "cgroup2")) return [];
    return [{ directory, controllers: type === "cgroup" ? superOptions : [] }];
  });
}

function hierarchyOf(controllers: readonly string[], all: readonly Hierarchy[]): Hierarchy | undefined {
  const named = controllers.filter((name) => name !== "");
  return all.find(({ controllers: its }) =>
    named.length === 0 ? its.length === 0 : named.every((name) => its.includes(name)),
  );
}

/**
 * The directory on this host of a group that a container sees: of a mount of version 1, by its options and root.
 * Undefined without such a hierarchy. Errors: BACKEND for a root that leads out of it.
 */
export function groupDirectory(options: string, group: string): string | undefined {
  const hierarchy = hierarchyOf(options.split(","), hierarchies());
  return hierarchy && path.join(hierarchy.directory, plainPath(group));
}

/**
 * Makes the groups above those of a set, which criu makes with their properties. Gives a function that removes all that
 * were not there before, if they are empty. Errors: BACKEND, IO.
 */
export function makeGroupsAbove(set: CriuImageSet): () => void {
  const all = hierarchies();
  const made: string[] = [];
  for (const { cnames, dirs } of set.first(IMAGES.CGROUP)?.controllers ?? []) {
    const hierarchy = hierarchyOf(cnames, all);
    if (hierarchy === undefined) continue;
    for (const { dir_name } of dirs) makeAbove(hierarchy, plainPath(`/${dir_name}`), made);
  }
  return () => {
    for (const directory of made.reverse())
      try {
        fs.rmdirSync(directory);
      } catch {
        // It was never made, or something else is in it.
      }
  };
}

/** `made` gets what was not there, the group itself as well. */
function makeAbove({ directory, controllers }: Hierarchy, group: string, made: string[]): void {
  const parts = group.split("/").filter((part) => part !== "");
  let at = directory;
  for (const [i, part] of parts.entries()) {
    const above = at;
    at = path.join(at, part);
    if (fs.existsSync(at)) continue;
    made.push(at);
    if (i === parts.length - 1) return;
    try {
      fs.mkdirSync(at, { mode: 0o755 });
      if (controllers.includes("cpuset"))
        for (const name of CPUSET)
          fs.writeFileSync(path.join(at, name), fs.readFileSync(path.join(above, name)));
    } catch (error) {
      throw ioError("make the control group", at, error);
    }
  }
}

/** Errors: BACKEND. */
function plainPath(group: string): string {
  if (group.startsWith("/") && !group.split("/").includes("..")) return group;
  throw new BackendError(`the control group ${JSON.stringify(group)} leads out of its hierarchy`);
}
