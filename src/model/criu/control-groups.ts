import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry } from "../../formats/criu/tables/core.js";
import type { ControlGroupSet } from "../control-groups.js";

/** The sets of cgroup.img. */
export function decodeControlGroupSets(set: CriuImageSet): ControlGroupSet[] {
  return (set.first(IMAGES.CGROUP)?.sets ?? []).map(({ id, ctls }, i) => ({
    id,
    groups: ctls.map(({ name, path }) => `${name}:${path}`),
    origin: { image: IMAGES.CGROUP.file, record: 0, field: `sets[${i}]` },
  }));
}

/** The set that a thread is in; undefined for that of criu itself, which is not stored. */
export function decodeControlGroupSet(
  set: CriuImageSet,
  core: Pick<CoreEntry, "tc" | "thread_core"> | undefined,
): number | undefined {
  // Since criu 3.18 each thread has its own set, before that the task.
  const id = core?.thread_core?.cg_set ?? core?.tc?.cg_set;
  const inventory = set.first(IMAGES.INVENTORY);
  return inventory === undefined || inventory.root_cg_set === id ? undefined : id;
}

const known = new WeakMap<CriuImageSet, ReadonlyMap<number, readonly string[]>>();

/** The groups of each set of cgroup.img, read once for all threads; of sets with one id the first. */
export function controlGroupsOf(set: CriuImageSet): ReadonlyMap<number, readonly string[]> {
  let groups = known.get(set);
  if (groups === undefined) {
    groups = new Map(
      decodeControlGroupSets(set)
        .reverse()
        .map((each) => [each.id, each.groups]),
    );
    known.set(set, groups);
  }
  return groups;
}
