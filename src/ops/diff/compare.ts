import type { Comparable, Item, SectionName } from "./section.js";

export interface FieldChange {
  readonly field: string;
  readonly old: Comparable;
  readonly new: Comparable;
}

/** One thing that is not the same in both checkpoints. */
export interface Difference {
  readonly section: SectionName;
  readonly status: "added" | "removed" | "modified";
  readonly label: string;
  /** What changed; for added and removed things what they are (only `new` or only `old` is set). */
  readonly changes: readonly FieldChange[];
}

/** Compares the things of one section, each with its partner of the same key, else of the same alias. Linear. */
export function* compareItems(
  section: SectionName,
  left: Iterable<Item>,
  right: Iterable<Item>,
): Generator<Difference> {
  const partners = indexByKey(right);
  const unpaired: Item[] = [];
  for (const item of left) {
    const partner = take(partners, item.key);
    if (partner === undefined) unpaired.push(item);
    else yield* modified(section, item, partner);
  }
  const rest = [...partners.values()].flat();
  const byAlias = new Map<string, Item[]>();
  for (const item of rest)
    if (item.alias !== undefined) byAlias.set(item.alias, [...(byAlias.get(item.alias) ?? []), item]);
  const moved = new Set<Item>();
  for (const item of unpaired) {
    const partner = item.alias === undefined ? undefined : take(byAlias, item.alias);
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

function indexByKey(items: Iterable<Item>): Map<string, Item[]> {
  const index = new Map<string, Item[]>();
  for (const item of items) {
    const list = index.get(item.key);
    if (list === undefined) index.set(item.key, [item]);
    else list.push(item);
  }
  return index;
}

function take(index: Map<string, Item[]>, key: string): Item | undefined {
  const list = index.get(key);
  const item = list?.shift();
  if (list?.length === 0) index.delete(key);
  return item;
}
