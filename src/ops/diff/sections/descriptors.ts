import type { Section } from "../section.js";

/** Descriptors stand with the first of the tasks that share a table; the others name that task. */
export const DESCRIPTORS: Section = {
  name: "fds",
  *items(side) {
    const owners = new Map<number, number>();
    for (const { pid, descriptors: table } of side.tasks()) {
      if (table === undefined) continue;
      const key = side.taskKey(pid);
      const owner = owners.get(table.id);
      if (owner !== undefined) {
        yield { key: `${key} table`, label: `table of ${pid}`, fields: { sharedWith: side.taskKey(owner) } };
        continue;
      }
      owners.set(table.id, pid);
      for (const { fd, type, closeOnExec, file } of table.descriptors)
        yield {
          key: `${key}:${fd}`,
          label: `${pid}:${fd}`,
          fields: { type, file: side.fileName(file) ?? "missing", closeOnExec },
        };
    }
  },
};
