import { UnsupportedError } from "../../../io/errors.js";
import { MAX_COMPARED_MAPPINGS } from "../../../io/limits.js";
import type { Task } from "../../../model/checkpoint.js";
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

/** The mappings of a task. Errors: UnsupportedError for more than are compared. */
export function comparedMappings({ document }: Side, { pid, mappings }: Task): readonly Mapping[] {
  if (mappings.length > MAX_COMPARED_MAPPINGS)
    throw new UnsupportedError(
      `task ${pid} has ${mappings.length} mappings, at most ${MAX_COMPARED_MAPPINGS} are compared; select other sections with --only`,
      { file: document.name },
    );
  return mappings;
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
      for (const mapping of comparedMappings(side, task)) {
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
