import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../../../linux/capabilities.js";
import { RESOURCE_LIMITS, RLIM_INFINITY, RLIMIT_NOFILE } from "../../../linux/rlimits.js";
import type { Task } from "../../../model/checkpoint.js";
import type { Origin } from "../../../model/origin.js";
import type { Rule } from "../finding.js";
import { type HostContext, isForCriu } from "./context.js";
import type { Host } from "./host.js";
import { makesNamespace, pageBytes, placeInTask } from "./image-facts.js";

/** Rules about pids, limits and users. */
export const hostTaskRules: readonly Rule<HostContext>[] = [
  {
    id: "PID_TAKEN",
    level: "error",
    about: "The pids and thread ids of the set are free, unless a pid namespace comes back with it.",
    fix: "Wait until the process that has the pid has ended, or restore in a pid namespace of its own: unshare --pid --fork --mount-proc.",
    *check({ image, host }) {
      if (makesNamespace(image, "pid")) return;
      for (const { id, pid, origin } of image.checkpoint.ids()) {
        const taken = host.process(id);
        if (taken === undefined) continue;
        const isZombie = taken.state === "Z";
        yield {
          at: image.placeOf(origin, { pid }),
          what: isZombie
            ? `a zombie still has the id ${id}: its parent has not waited for it`
            : `the id ${id} is taken`,
          expected: "a free id",
          found: `${taken.comm}, state ${taken.state}`,
          fix: isZombie ? undefined : `unshare --pid --fork --mount-proc crimg restore ${image.quotedName}`,
        };
      }
    },
  },
  {
    id: "PID_MAX",
    level: "error",
    about: "The kernel gives pids as high as those of the set.",
    fix: "Raise kernel.pid_max.",
    *check({ image, host }) {
      const max = host.sysctl("kernel/pid_max");
      let highest = 0;
      let from: Origin | undefined;
      for (const { id, origin } of image.checkpoint.ids())
        if (id > highest) {
          highest = id;
          from = origin;
        }
      if (max !== undefined && highest >= max && !makesNamespace(image, "pid"))
        yield {
          at: { image: from && image.placeOf(from).image, pid: highest },
          what: "the kernel gives no pid as high",
          expected: `below ${max}`,
          found: String(highest),
          fix: `sysctl -w kernel.pid_max=${2 ** Math.ceil(Math.log2(highest + 1))}`,
        };
    },
  },
  {
    id: "NOT_ROOT",
    level: "error",
    about: "The user who restores may: root, or CAP_CHECKPOINT_RESTORE with criu's --unprivileged.",
    fix: "Restore as root.",
    *check({ image, host }) {
      const capabilities = host.capabilities();
      if ((capabilities & (CAP_SYS_ADMIN | CAP_CHECKPOINT_RESTORE)) === 0n)
        yield {
          at: {},
          what: "this user may not restore",
          expected: "CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE",
          found: `uid ${host.uid} without them`,
          fix: `sudo crimg restore ${image.quotedName}`,
        };
    },
  },
  {
    id: "FD_LIMIT",
    level: "error",
    about: "As many files can be open as the task with the most descriptors needs, and criu above them.",
    fix: "Raise the limit before the restore, as a user with CAP_SYS_RESOURCE.",
    *check(context) {
      const { image, host } = context;
      const mayRaise = (host.capabilities() & CAP_SYS_RESOURCE) !== 0n;
      const limit = limitOf(host, RLIMIT_NOFILE);
      const most = Math.max(mayRaise ? (host.sysctl("fs/nr_open") ?? 0) : 0, limit);
      const isCriu = isForCriu(context);
      for (const { pid, highest, tasks } of tables(image.checkpoint.tasks)) {
        const least = isCriu ? leastForCriu(highest, tasks) : highest + 1;
        if (least > most)
          yield {
            at: { pid, fd: highest },
            what: `the limit of open files is too low for the descriptors of the task${isCriu ? " and those of criu" : ""}`,
            expected: `at least ${least}`,
            found: String(most),
            fix: mayRaise ? `sysctl -w fs.nr_open=${2 ** Math.ceil(Math.log2(least))}` : undefined,
          };
      }
    },
  },
  {
    id: "LIMIT_RAISE",
    level: "warning",
    about:
      "The hard limits of tasks are not above those of whoever restores, which only CAP_SYS_RESOURCE may exceed; criu leaves such a limit as it is here.",
    fix: "Restore with CAP_SYS_RESOURCE, or raise the hard limit before (prlimit, ulimit -H).",
    *check({ image, host }) {
      if ((host.capabilities() & CAP_SYS_RESOURCE) !== 0n) return;
      const own = host.hardLimits();
      for (const { pid, limits } of image.checkpoint.tasks)
        for (const [resource, { hard }] of limits.entries()) {
          const most = own[resource] ?? RLIM_INFINITY;
          if (hard > most)
            yield {
              at: placeInTask(image, pid, `tc.rlimits.rlimits[${resource}]`),
              what: `the hard limit ${RESOURCE_LIMITS[resource]?.[0] ?? resource} cannot be raised to what it was`,
              expected: `at most ${most} without CAP_SYS_RESOURCE`,
              found: hard === RLIM_INFINITY ? "unlimited" : String(hard),
            };
        }
    },
  },
  {
    id: "UID_UNKNOWN",
    level: "note",
    about: "The users of the tasks are known here.",
    fix: "Nothing is to be done for the restore; files then show numbers instead of names.",
    *check({ image, host }) {
      if (makesNamespace(image, "user")) return;
      const users = host.users();
      const told = new Set<number>();
      for (const { pid, threads } of image.checkpoint.tasks) {
        const uid = threads[0]?.credentials?.uid;
        if (uid === undefined || users.has(uid) || told.has(uid)) continue;
        told.add(uid);
        yield { at: { pid }, what: "no user of this host has the uid", found: String(uid) };
      }
    },
  },
  {
    id: "MEMORY_LOW",
    level: "warning",
    about: "There is room for the memory of the set.",
    fix: "Free memory, or let the host swap.",
    *check({ image, host }) {
      const bytes = pageBytes(image);
      const available = host.availableMemory();
      if (bytes > available)
        yield {
          at: {},
          what: "the pages take more memory than is available",
          expected: `at most ${available} bytes`,
          found: `${bytes} bytes`,
        };
    },
  },
];

/** Descriptors that criu has for itself above those of each task of a table, and some to spare, criu/servicefd.c. */
const SERVICE_FDS = 15;
const SPARE_FDS = 16;
/** Limits below the next multiple of this are of no use to criu. */
const SERVICE_FD_STEP = 128;

function leastForCriu(highest: number, tasks: number): number {
  return Math.ceil((highest + SERVICE_FDS * tasks + SPARE_FDS) / SERVICE_FD_STEP) * SERVICE_FD_STEP;
}

/** Each table of descriptors with its first task, its highest descriptor and the number of its tasks. */
function tables(tasks: readonly Task[]): Iterable<{ pid: number; highest: number; tasks: number }> {
  const found = new Map<number, { pid: number; highest: number; tasks: number }>();
  for (const { pid, descriptors: table } of tasks) {
    if (table === undefined) continue;
    const known = found.get(table.id);
    if (known !== undefined) known.tasks++;
    else {
      const highest = table.descriptors.reduce((max, { fd }) => Math.max(max, fd), 0);
      found.set(table.id, { pid, highest, tasks: 1 });
    }
  }
  return found.values();
}

function limitOf(host: Host, resource: number): number {
  const hard = host.hardLimits()[resource] ?? RLIM_INFINITY;
  return hard === RLIM_INFINITY ? Number.POSITIVE_INFINITY : Number(hard);
}
