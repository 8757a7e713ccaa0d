import type { Mapping } from "../../../model/mapping.js";
import { hex, type Section, type Side } from "../section.js";
import { isAnonymousMemory } from "../side.js";

/** Mappings placed by the kernel. */
export function isKernelMapping(mapping: Mapping): boolean {
  return mapping.kind === "vdso" || mapping.kind === "vvar" || mapping.kind === "vsyscall";
}

/** `start-end` in hexadecimal, as in proc_pid_maps(5). */
export function formatRange(range: { readonly start: bigint; readonly end: bigint }): string {
  return `${range.start.toString(16)}-${range.end.toString(16)}`;
}

/** Equal for the same mapping at another address. */
export function mappingAlias(side: Side, mapping: Mapping): string {
  return `${kindOf(mapping)} ${mappingName(side, mapping)} ${mapping.permissions} ${mapping.offset}`;
}

export function mappingName(side: Side, mapping: Mapping): string {
  if (mapping.file !== undefined && isAnonymousMemory(mapping.file)) return "";
  return (mapping.file === undefined ? mapping.name : side.fileName(mapping.file)) ?? "";
}

function kindOf({ kind, file }: Mapping): Mapping["kind"] {
  return file !== undefined && isAnonymousMemory(file) ? "shared anonymous" : kind;
}

export const MAPPINGS: Section = {
  name: "mappings",
  *items(side) {
    for (const task of side.tasks()) {
      const taskKey = side.taskKey(task.pid);
      for (const mapping of task.mappings) {
        if (isKernelMapping(mapping)) continue;
        const name = mappingName(side, mapping);
        yield {
          key: `${taskKey} ${mapping.start}`,
          alias: `${taskKey} ${mappingAlias(side, mapping)}`,
          label: `${task.pid} ${formatRange(mapping)}${name ? ` ${name}` : ""}`,
          fields: {
            start: hex(mapping.start),
            end: hex(mapping.end),
            permissions: mapping.permissions,
            kind: kindOf(mapping),
            name: name || undefined,
            offset: hex(mapping.offset),
          },
        };
      }
    }
  },
};
