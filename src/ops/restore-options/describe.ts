import type { Checkpoint } from "../../model/checkpoint.js";
import type { DescriptorTable, OpenFile } from "../../model/open-file.js";

const MAX_OBJECTS = 10;

/** Description of a file: its first descriptor and its label. */
export function describeFile(checkpoint: Checkpoint, file: OpenFile): string {
  const holder = holdersOf(checkpoint).get(file);
  return holder === undefined ? file.label : `fd ${holder.fd} of ${holder.pid}: ${file.label}`;
}

interface Holder {
  readonly pid: number;
  readonly fd: number;
}

const holders = new WeakMap<Checkpoint, ReadonlyMap<OpenFile, Holder>>();

/** The first descriptor of each file, found once: there may be as many files to describe as descriptors. */
function holdersOf(checkpoint: Checkpoint): ReadonlyMap<OpenFile, Holder> {
  const known = holders.get(checkpoint);
  if (known !== undefined) return known;
  const found = new Map<OpenFile, Holder>();
  const seen = new Set<DescriptorTable>();
  for (const { pid, descriptors: table } of checkpoint.tasks) {
    if (table === undefined || seen.has(table)) continue;
    seen.add(table);
    for (const { fd, file } of table.descriptors)
      if (file !== undefined && !found.has(file)) found.set(file, { pid, fd });
  }
  holders.set(checkpoint, found);
  return found;
}

/** The first few of a list. */
export function few<T>(items: readonly T[], text: (item: T) => string): string[] {
  return items.slice(0, MAX_OBJECTS).map(text);
}

/** `1 lock`, `3 locks`. */
export function count(items: readonly unknown[], one: string, many = `${one}s`): string {
  return `${items.length} ${items.length === 1 ? one : many}`;
}
