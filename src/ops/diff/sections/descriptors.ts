import type { Section } from "../section.js";

export const DESCRIPTORS: Section = {
  name: "fds",
  *items(side) {
    for (const task of side.tasks())
      for (const { fd, type, closeOnExec, file } of task.descriptors?.descriptors ?? [])
        yield {
          key: `${side.taskKey(task.pid)}:${fd}`,
          label: `${task.pid}:${fd}`,
          fields: { type, file: side.fileName(file) ?? "missing", closeOnExec },
        };
  },
};
