import type { Checkpoint } from "../../model/checkpoint.js";
import type { OpenFile } from "../../model/open-file.js";

const MAX_OBJECTS = 10;

/** Description of a file: its first descriptor and its label. */
export function describeFile(checkpoint: Checkpoint, file: OpenFile): string {
  for (const { pid, descriptors } of checkpoint.tasks)
    for (const { fd, file: other } of descriptors?.descriptors ?? [])
      if (other === file) return `fd ${fd} of ${pid}: ${file.label}`;
  return file.label;
}

/** The first few of a list. */
export function few<T>(items: readonly T[], text: (item: T) => string): string[] {
  return items.slice(0, MAX_OBJECTS).map(text);
}

/** `1 lock`, `3 locks`. */
export function count(items: readonly unknown[], one: string, many = `${one}s`): string {
  return `${items.length} ${items.length === 1 ? one : many}`;
}
