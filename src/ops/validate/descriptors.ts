import type { Descriptor, DescriptorTable, OpenFile } from "../../model/open-file.js";
import type { ImageContext } from "./context.js";

/** A descriptor and the tasks that have it. */
export interface HeldDescriptor {
  readonly pid: number;
  readonly descriptor: Descriptor;
}

/** Each descriptor table once, with the first task that uses it. */
export function descriptorTables({
  checkpoint,
}: ImageContext): readonly { readonly pid: number; readonly table: DescriptorTable }[] {
  const seen = new Set<number>();
  return checkpoint.tasks.flatMap(({ pid, descriptors }) => {
    if (descriptors === undefined || seen.has(descriptors.id)) return [];
    seen.add(descriptors.id);
    return [{ pid, table: descriptors }];
  });
}

/** The first descriptor of each open file. */
export function holders(context: ImageContext): ReadonlyMap<OpenFile, HeldDescriptor> {
  const first = new Map<OpenFile, HeldDescriptor>();
  for (const { pid, table } of context.share(descriptorTables))
    for (const descriptor of table.descriptors)
      if (descriptor.file !== undefined && !first.has(descriptor.file))
        first.set(descriptor.file, { pid, descriptor });
  return first;
}
