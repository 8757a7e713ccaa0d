import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CgroupDirEntry } from "../../formats/criu/tables/cgroup.js";
import type { TaskKobjIdsEntry } from "../../formats/criu/tables/core.js";
import { LSMTYPE } from "../../formats/criu/tables/inventory.js";
import type { UsernsEntry } from "../../formats/criu/tables/ns.js";
import { enumName } from "../../io/enums.js";
import type { IdRange, Surroundings } from "../surroundings.js";

const NO_LSM = "NO_LSM";
const KINDS = ["pid", "net", "ipc", "uts", "mnt", "user", "cgroup", "time"] as const;

/**
 * What criu makes around the tasks: a namespace of each kind in which the root task was and the criu that dumped it was
 * not (criu/namespaces.c, `prepare_namespace`).
 */
export function criuSurroundings(set: CriuImageSet): Surroundings {
  const criu = set.first(IMAGES.INVENTORY)?.root_ids;
  const pid = set.firstIfAny(IMAGES.PSTREE)?.pid;
  const root =
    pid === undefined ? undefined : (set.first(IMAGES.CORE, pid)?.ids ?? set.first(IMAGES.IDS, pid));
  const idOf = (ids: TaskKobjIdsEntry | undefined, kind: (typeof KINDS)[number]) => ids?.[`${kind}_ns_id`];
  const all = [...idsOfTasks(set)];
  const namespaces = KINDS.filter((kind) => {
    const dumper = idOf(criu, kind);
    return all.some(
      (ids) => idOf(ids, kind) !== undefined && dumper !== undefined && idOf(ids, kind) !== dumper,
    );
  });
  const user = idOf(root, "user");
  const maps = namespaces.includes("user") && user !== undefined ? set.first(IMAGES.USERNS, user) : undefined;
  return {
    namespaces,
    userNamespace:
      maps === undefined ? undefined : { uids: ranges(maps.uid_map), gids: ranges(maps.gid_map) },
    securityModule: decodeSecurityModule(set),
    loadsPolicies: set.first(IMAGES.APPARMOR) !== undefined,
    joinsControlGroups: true,
    madeControlGroups: (set.first(IMAGES.CGROUP)?.controllers ?? []).flatMap(({ dirs }) => [
      ...groupPaths(dirs, ""),
    ]),
  };
}

/** Tasks below the root may have namespaces of their own. */
function* idsOfTasks(set: CriuImageSet): Generator<TaskKobjIdsEntry | undefined> {
  for (const pid of set.ids(IMAGES.IDS)) yield set.firstIfAny(IMAGES.IDS, pid);
  for (const pid of set.ids(IMAGES.CORE)) yield set.firstIfAny(IMAGES.CORE, pid)?.ids;
}

/** The security module that wrote the labels of tasks; undefined for none. */
export function decodeSecurityModule(set: CriuImageSet): string | undefined {
  const name = enumName(LSMTYPE, set.first(IMAGES.INVENTORY)?.lsmtype ?? 0);
  return name === NO_LSM ? undefined : name.toLowerCase();
}

function* groupPaths(directories: readonly CgroupDirEntry[], above: string): Generator<string> {
  for (const { dir_name, children, properties } of directories) {
    const path = `${above}/${dir_name}`;
    yield path;
    for (const { name } of properties) if (name.includes("/")) yield `${path}/${name}`;
    yield* groupPaths(children, path);
  }
}

function ranges(extents: UsernsEntry["uid_map"]): IdRange[] {
  return extents.map(({ first, lower_first, count }) => ({ inside: first, outside: lower_first, count }));
}
