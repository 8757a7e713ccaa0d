import type { TaskAttributes } from "../../../model/attributes.js";
import { type Comparable, hex, type Section } from "../section.js";

export const TASKS: Section = {
  name: "tasks",
  *items(side) {
    for (const task of side.tasks()) {
      const zombie = task.state === "zombie";
      yield {
        key: side.taskKey(task.pid),
        label: `task ${task.pid}`,
        fields: {
          pid: task.pid,
          comm: task.comm,
          state: task.state,
          parent: task.ppid === 0 ? undefined : side.taskKey(task.ppid),
          pgid: task.pgid,
          sid: task.sid,
          threads: task.threads.length,
          exitStatus: task.exitStatus,
          exe: zombie ? undefined : side.fileName(task.exe),
          cwd: zombie ? undefined : side.fileName(task.cwd),
          root: zombie ? undefined : side.fileName(task.root),
          umask: task.umask === undefined ? undefined : `0${task.umask.toString(8)}`,
          ...(zombie ? {} : attributeFields(task.attributes)),
          controlGroups: task.threads[0]?.controlGroups?.toSorted().join(" "),
        },
      };
    }
  },
};

/** A value that is not stored counts as the kernel's default. */
function attributeFields(attributes: TaskAttributes): Record<string, Comparable> {
  const { oomScoreAdj, loginUid, childSubreaper, stopSignal, personality } = attributes;
  return {
    ...{ oomScoreAdj, loginUid, stopSignal },
    childSubreaper: childSubreaper ?? false,
    personality: hex(personality ?? 0n),
  };
}
