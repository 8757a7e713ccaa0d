import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { ThreadInfoX86 } from "../../../formats/criu/tables/core-x86.js";
import type { EventfdFileEntry } from "../../../formats/criu/tables/eventfd.js";
import { EFD_SEMAPHORE } from "../../../linux/files.js";
import { O_ACCMODE, O_ASYNC, O_RDONLY } from "../../../linux/open-flags.js";
import type { Lock } from "../../../model/lock.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { SetContext } from "../context.js";
import { holders } from "../descriptors.js";
import type { Place, Rule } from "../finding.js";
import { filesByType } from "../references/source.js";
import { tasksByPid, tasksByTid, tasksOf } from "../tasks.js";

/** poll(2) on x86-64, and what it returns when a signal, or criu, interrupts it. */
const POLL = 7n;
const EINTR = BigInt.asUintN(64, -4n);

/** Rules about sets that are right and that criu still restores wrongly, or not. */
export const criuFaultRules: readonly Rule<SetContext>[] = [
  {
    id: "CHILD_PID_LOWER",
    level: "warning",
    about:
      "No child has a lower pid than its parent while unix sockets are open: criu's restore then aborts in sk-unix.c.",
    fix: "Nothing in the set can fix it; checkpoint again after the worker was started anew, or try the restore.",
    *check(context) {
      if (!context.checkpoint.files.all.some(({ type }) => type === "UNIXSK")) return;
      const tasks = context.share(tasksByPid);
      for (const { pid, record, entry } of context.share(tasksOf))
        if (tasks.has(entry.ppid) && pid < entry.ppid)
          yield {
            at: { image: IMAGES.PSTREE.file, record, pid },
            what: "the pid is lower than the parent's, and unix sockets are open",
            found: `${pid} below ${entry.ppid}`,
          };
    },
  },
  {
    id: "EXE_MEMFD",
    level: "error",
    about:
      "No task runs a program from a memory file (memfd_create and fexecve): criu dumps it, but looks for the program among the REG files alone when it restores.",
    fix: "Nothing in the set can fix it: start the program from a file on disk, and checkpoint again.",
    *check({ checkpoint }) {
      for (const { pid, exe } of checkpoint.tasks)
        if (exe?.type === "MEMFD")
          yield {
            at: { image: fileNameOf(IMAGES.MM, pid), record: 0, field: "exe_file_id", pid, path: exe.label },
            what: "the program runs from a memory file, which cannot be restored",
          };
    },
  },
  {
    id: "DEATH_SIGNAL",
    level: "warning",
    about:
      "The root task asks for no signal when its parent ends: after the restore its parent is criu, which ends.",
    fix: "Take the request away, or keep criu as the parent (restore without --restore-detached).",
    *check(context) {
      const root = context.share(tasksOf)[0];
      const signal = root?.core?.thread_core?.pdeath_sig;
      if (root === undefined || signal === undefined || signal === 0) return;
      const image = fileNameOf(IMAGES.CORE, root.pid);
      yield {
        at: { image, record: 0, field: "thread_core.pdeath_sig", pid: root.pid },
        what: "signal when the parent ends: it arrives when criu does",
        expected: "0",
        found: String(signal),
        fix: context.editCommand("--set", `${image}[0].thread_core.pdeath_sig=0`),
      };
    },
  },
  {
    id: "LEASE_BREAKING",
    level: "warning",
    about:
      "No lease is being broken: criu restores one with a signal that had not been pending, and no image tells the time that was left.",
    fix: "Settle the lease to what it becomes, or drop it, with crimg edit.",
    *check(context) {
      for (const lock of context.checkpoint.locks)
        if (lock.kind === "lease" && lock.breaking)
          yield {
            at: lockPlace(context, lock),
            what: "the lease is being broken; the holder gets its signal once more",
            found: `to become ${lock.type === "read" ? "a read lease" : "none"}`,
            fix: context.editCommand(
              "--lease",
              `${lock.pid}:${lock.fd}=${canSettle(lock) ? "settle" : "drop"}`,
            ),
          };
    },
  },
  {
    id: "LEASE_BUILD_ID",
    level: "note",
    about:
      "No file with a write lease is checked by its build id: criu opens it to read the id, which breaks the lease and waits 45 s.",
    fix: "Dump with --file-validation filesize; here crimg edit --no-file-check PATH takes the check away.",
    *check(context) {
      for (const lock of context.checkpoint.locks) {
        const { kind, type, breaking, file } = lock;
        if (kind !== "lease" || breaking || type !== "write" || file?.buildId === undefined) continue;
        if (file.path !== undefined)
          yield {
            at: lockPlace(context, lock),
            what: "the build id of a file with a write lease",
            found: file.buildId,
            fix: context.editCommand("--no-file-check", file.path),
          };
      }
    },
  },
  {
    id: "LOCK_MAPPED",
    level: "warning",
    about:
      "No task has a POSIX lock on a file that it also maps (as sqlite does with its -shm file): criu loses the lock without a word.",
    fix: "Nothing in the set can fix it: let the program take the lock again after the restore.",
    *check(context) {
      const mapped = context.share(mappedPaths);
      for (const lock of context.checkpoint.locks) {
        const { kind, pid, file } = lock;
        if (kind === "posix" && file?.path !== undefined && mapped.get(pid)?.has(file.path))
          yield {
            at: lockPlace(context, lock),
            what: "the lock is lost at restore, since the task maps the file as well",
          };
      }
    },
  },
  {
    id: "POLL_INTERRUPTED",
    level: "note",
    about: "No thread waits in poll(2): after the restore the call returns EINTR.",
    fix: "Nothing is to be done for programs that call poll again; others end with an error.",
    *check(context) {
      for (const [tid, { pid }] of context.share(tasksByTid)) {
        const registers = (context.set.first(IMAGES.CORE, tid)?.thread_info as ThreadInfoX86 | undefined)
          ?.gpregs;
        if (registers?.orig_ax === POLL && registers.ax === EINTR)
          yield {
            at: { image: fileNameOf(IMAGES.CORE, tid), record: 0, pid },
            what: `thread ${tid} sees its poll interrupted`,
          };
      }
    },
  },
  {
    id: "EVENTFD_SEMAPHORE",
    level: "warning",
    about: "No eventfd counts as a semaphore: criu restores it as a plain one.",
    fix: "Nothing in the set can fix it.",
    *check(context) {
      for (const file of context.share(filesByType).get("EVENTFD") ?? [])
        if (((file.record as EventfdFileEntry).flags & EFD_SEMAPHORE) !== 0)
          yield { at: placeOf(context, file), what: "the eventfd comes back without EFD_SEMAPHORE" };
    },
  },
  {
    id: "FIFO_ASYNC",
    level: "warning",
    about: "No fifo is open with O_ASYNC: criu restores the flag without its effect.",
    fix: "Nothing in the set can fix it: the program gets no SIGIO until it sets the flag again.",
    *check(context) {
      for (const file of context.share(filesByType).get("FIFO") ?? [])
        if (((file.flags ?? 0) & O_ASYNC) !== 0)
          yield {
            at: { ...placeOf(context, file), path: file.path },
            what: "O_ASYNC has no effect after the restore",
          };
    },
  },
];

/** What a lease becomes must be one that the kernel gives: a read lease only to who cannot write, fs/locks.c. */
function canSettle({ type, file }: Lock): boolean {
  return type !== "read" || ((file?.flags ?? O_RDONLY) & O_ACCMODE) === O_RDONLY;
}

function lockPlace(context: SetContext, { origin, pid, fd, file }: Lock): Place {
  return context.placeOf(origin, { pid, fd, path: file?.path });
}

/** A file with the first descriptor that leads to it. */
function placeOf(context: SetContext, file: OpenFile) {
  const held = context.share(holders).get(file);
  return { ...file.origin, pid: held?.pid, fd: held?.descriptor.fd };
}

/** Paths that each task has mapped. */
function mappedPaths({ checkpoint }: SetContext): ReadonlyMap<number, ReadonlySet<string>> {
  const paths = new Map<number, Set<string>>();
  for (const { pid, mappings } of checkpoint.tasks)
    paths.set(pid, new Set(mappings.flatMap(({ file }) => file?.path ?? [])));
  return paths;
}
