import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../../../linux/capabilities.js";
import { RLIM_INFINITY, RLIMIT_NOFILE } from "../../../linux/rlimits.js";
import type { Origin } from "../../../model/origin.js";
import type { Rule } from "../finding.js";
import type { HostContext } from "./context.js";
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
    about: "criu can open as many files as the task with the most descriptors.",
    fix: "Raise the limit before the restore, as a user with CAP_SYS_RESOURCE.",
    *check({ image, host }) {
      const limit = host.openFiles();
      const mayRaise = (host.capabilities() & CAP_SYS_RESOURCE) !== 0n;
      const most = Math.max(host.sysctl("fs/nr_open") ?? limit, limit);
      for (const { pid, descriptors } of image.checkpoint.tasks) {
        const highest = descriptors?.descriptors.reduce((max, { fd }) => Math.max(max, fd), 0) ?? 0;
        if (highest + 1 > (mayRaise ? most : limit))
          yield {
            at: { pid, fd: highest },
            what: "descriptors cannot go so high here",
            expected: `below ${mayRaise ? most : limit}`,
            found: String(highest),
            fix: mayRaise ? `sysctl -w fs.nr_open=${2 ** Math.ceil(Math.log2(highest + 2))}` : undefined,
          };
      }
    },
  },
  {
    id: "LIMIT_RAISE",
    level: "warning",
    about: "criu may set resource limits above its own: that needs CAP_SYS_RESOURCE.",
    fix: "Restore with CAP_SYS_RESOURCE, or raise the hard limit of open files before.",
    *check({ image, host }) {
      if ((host.capabilities() & CAP_SYS_RESOURCE) !== 0n) return;
      const limit = host.openFiles();
      for (const { pid, limits } of image.checkpoint.tasks) {
        const max = limits[RLIMIT_NOFILE]?.hard;
        if (max !== undefined && (max === RLIM_INFINITY ? Number.POSITIVE_INFINITY : Number(max)) > limit)
          yield {
            at: placeInTask(image, pid, `tc.rlimits.rlimits[${RLIMIT_NOFILE}]`),
            what: "the hard limit of open files cannot be raised to what it was",
            expected: `at most ${limit} without CAP_SYS_RESOURCE`,
            found: String(max),
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
