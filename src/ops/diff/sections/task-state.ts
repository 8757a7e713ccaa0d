import { taskTimers } from "../../../model/task-timers.js";
import { hex, type Section } from "../section.js";

export const TIMERS: Section = {
  name: "timers",
  *items(side) {
    for (const [task, timers] of taskTimers(side.tasks())) {
      const counts = new Map<string, number>();
      for (const timer of timers) {
        const isNumbered = timer.kind === "posix";
        const nth = counts.get(timer.kind) ?? 0;
        counts.set(timer.kind, nth + 1);
        const id = isNumbered ? timer.id : nth;
        yield {
          key: `${side.taskKey(task.pid)} ${timer.kind} ${id}`,
          label: `${timer.kind} timer${isNumbered || nth > 0 ? ` ${id}` : ""} of ${task.pid}`,
          fields: {
            left: timer.left,
            interval: timer.interval,
            clock: timer.clock,
            signal: timer.notice?.signal,
            overrun: timer.overrun,
          },
        };
      }
    }
  },
};

export const SIGNALS: Section = {
  name: "signals",
  *items(side) {
    for (const task of side.tasks()) {
      for (const { signal, handler, flags, mask } of task.signals.actions)
        if (handler !== 0n || flags !== 0n)
          yield {
            key: `${side.taskKey(task.pid)} action ${signal}`,
            label: `action of signal ${signal} in ${task.pid}`,
            fields: { handler: hex(handler), flags: hex(flags), mask: hex(mask) },
          };
      for (const [index, thread] of task.threads.entries())
        yield {
          key: `${side.taskKey(task.pid)} thread ${index}`,
          label: `signals of ${thread.tid}`,
          fields: {
            blocked: hex(thread.blocked),
            pending: thread.pending.map(({ signal }) => signal).join(" "),
            shared: index === 0 ? task.signals.pending.map(({ signal }) => signal).join(" ") : undefined,
          },
        };
    }
  },
};

export const LIMITS: Section = {
  name: "limits",
  *items(side) {
    for (const task of side.tasks())
      for (const [index, { soft, hard }] of task.limits.entries())
        yield {
          key: `${side.taskKey(task.pid)} ${index}`,
          label: `rlimit ${index} of ${task.pid}`,
          fields: { soft, hard },
        };
  },
};
