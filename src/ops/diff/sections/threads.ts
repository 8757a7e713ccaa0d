import type { Task, Thread } from "../../../model/checkpoint.js";
import type { Credentials } from "../../../model/credentials.js";
import { type Comparable, hex, type Item, type Section, type Side } from "../section.js";

export const CREDENTIALS: Section = {
  name: "creds",
  items: (side) =>
    threadItems(side, ({ credentials, seccomp, schedule }) => ({
      ...(credentials === undefined ? {} : credentialFields(credentials)),
      seccomp: seccomp ?? "disabled",
      schedule: schedule && `policy ${schedule.policy}, nice ${schedule.nice}, priority ${schedule.priority}`,
    })),
};

export const REGISTERS: Section = {
  name: "registers",
  items: (side) =>
    threadItems(side, ({ registers, rseq, addresses, deathSignal }) => ({
      ...Object.fromEntries([...registers].map(([name, value]) => [name, hex(value)])),
      clearTid: hex(addresses.clearTid),
      robustList: hex(addresses.robustList),
      signalStack:
        addresses.signalStack && `${hex(addresses.signalStack.start)}-${hex(addresses.signalStack.end)}`,
      deathSignal: deathSignal || undefined,
      rseq:
        rseq === undefined || rseq.address === 0n
          ? undefined
          : `${hex(rseq.address)}, ${rseq.size} bytes, signature ${hex(rseq.signature)}`,
    })),
};

/** Threads are paired by their position in the task, since tids are arbitrary. */
function* threadItems(
  side: Side,
  fields: (thread: Thread, task: Task) => Record<string, Comparable>,
): Generator<Item> {
  for (const task of side.tasks())
    for (const [index, thread] of task.threads.entries())
      yield {
        key: `${side.taskKey(task.pid)} ${index}`,
        label: thread.tid === task.pid ? `task ${task.pid}` : `thread ${thread.tid} of ${task.pid}`,
        fields: fields(thread, task),
      };
}

function credentialFields(credentials: Credentials): Record<string, Comparable> {
  return {
    uid: credentials.uid,
    euid: credentials.euid,
    suid: credentials.suid,
    fsuid: credentials.fsuid,
    gid: credentials.gid,
    egid: credentials.egid,
    sgid: credentials.sgid,
    fsgid: credentials.fsgid,
    groups: credentials.groups.join(" "),
    capInheritable: hex(credentials.inheritable),
    capPermitted: hex(credentials.permitted),
    capEffective: hex(credentials.effective),
    capBounding: hex(credentials.bounding),
    capAmbient: hex(credentials.ambient),
    securebits: hex(credentials.securebits),
    noNewPrivs: credentials.noNewPrivs,
    lsmProfile: credentials.lsmProfile,
  };
}
