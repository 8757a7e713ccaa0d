import { pairs, Queues } from "./pairs.js";
import type { Comparable, Item, SectionName } from "./section.js";

export interface FieldChange {
  readonly field: string;
  readonly old: Comparable;
  readonly new: Comparable;
}

/** An object that differs between two checkpoints. */
export interface Difference {
  readonly section: SectionName;
  readonly status: "added" | "removed" | "modified";
  readonly label: string;
  /** Changed fields; for added and removed objects their fields (only `new` or only `old` is set). */
  readonly changes: readonly FieldChange[];
}

/**
 * Compares the objects of a section, paired by key, else by alias: first those in both, then those only in the left,
 * then those only in the right, each in order. Linear.
 */
export function* compareItems(
  section: SectionName,
  left: Iterable<Item>,
  right: Iterable<Item>,
): Generator<Difference> {
  const found: { readonly at: number; readonly difference: Difference }[] = [];
  const pairing = pairs(left, right, ({ key }) => key);
  let pair = pairing.next();
  for (; pair.done !== true; pair = pairing.next())
    for (const difference of modified(section, pair.value.left, pair.value.right))
      found.push({ at: pair.value.at, difference });
  for (const { difference } of found.sort((a, b) => a.at - b.at)) yield difference;
  const { left: unpaired, right: rest } = pair.value;
  const byAlias = new Queues<Item>();
  for (const item of rest) if (item.alias !== undefined) byAlias.add(item.alias, item);
  const moved = new Set<Item>();
  for (const item of unpaired) {
    const partner = item.alias === undefined ? undefined : byAlias.take(item.alias);
    if (partner === undefined) yield whole(section, "removed", item);
    else {
      moved.add(partner);
      yield* modified(section, item, partner);
    }
  }
  for (const item of rest) if (!moved.has(item)) yield whole(section, "added", item);
}

function* modified(section: SectionName, left: Item, right: Item): Generator<Difference> {
  const changes: FieldChange[] = [];
  for (const field of new Set([...Object.keys(left.fields), ...Object.keys(right.fields)])) {
    if (left.unstated?.includes(field) || right.unstated?.includes(field)) continue;
    const [old, fresh] = [left.fields[field], right.fields[field]];
    if (old !== fresh) changes.push({ field, old, new: fresh });
  }
  if (changes.length > 0) yield { section, status: "modified", label: left.label, changes };
}

function whole(section: SectionName, status: "added" | "removed", item: Item): Difference {
  const changes = Object.entries(item.fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({
      field,
      old: status === "removed" ? value : undefined,
      new: status === "added" ? value : undefined,
    }));
  return { section, status, label: item.label, changes };
}
