import { IMAGES } from "../../../formats/criu/images.js";
import { TASK_STATE } from "../../../formats/criu/names.js";
import {
  CORE_ENTRY,
  CORE_ENTRY_MARCH,
  TASK_KOBJ_IDS_ENTRY,
  type TaskCoreEntry,
  type ThreadCoreEntry,
} from "../../../formats/criu/tables/core.js";
import { FS_ENTRY } from "../../../formats/criu/tables/fs.js";
import { PSTREE_ENTRY } from "../../../formats/criu/tables/pstree.js";
import type { RecordedObject } from "../../../formats/linux-cr/grammar.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { TASK_STOPPED } from "../../../linux/sched.js";
import { SECCOMP_MODE_FILTER } from "../../../linux/seccomp.js";
import { SIGCHLD, SS_DISABLE } from "../../../linux/signals.js";
import type { Process, ToCriu } from "./context.js";
import { credentialsOf } from "./credentials.js";
import { addPath } from "./file-entry.js";
import { writeMemory } from "./memory.js";
import { type NamespaceIds, ROOT_IDS } from "./namespaces.js";
import { registersOf } from "./registers.js";
import { signalActions, signalQueue } from "./signals.js";
import { timersOf } from "./timers.js";
import { rootCgroupSet, seccompIndex } from "./whole-set.js";

const X86_64 = CORE_ENTRY_MARCH.values.get("X86_64") as number;
/** TASK_EXTRA.flags: which of its fields are stored. */
const STORED = { oomScoreAdj: 1, loginuid: 2, scheduling: 4, cgroupSet: 8 } as const;
/** Flags of a task, in a stream and as the kernel has them today. */
const TASK_FLAGS: readonly (readonly [stored: number, kernel: number])[] = [
  [1, 0x40],
  [2, 0x100],
];

/** All images of one process: tree, ids, core of each thread, address space, directories. */
export function writeProcess(context: ToCriu, process: Process, namespaces: NamespaceIds): void {
  const { reader, set } = context;
  const { ids, part, threads } = process;
  const isZombie = reader.get(part, RECORDS.TASK).value.exit_state !== 0;
  set.add(IMAGES.PSTREE, undefined, PSTREE_ENTRY, {
    pid: ids.pid,
    ppid: ids.ppid,
    pgid: ids.pgid,
    sid: ids.sid,
    threads: isZombie ? [ids.pid] : threads.map(({ tid }) => tid),
  });
  if (isZombie) {
    set.add(IMAGES.CORE, ids.pid, CORE_ENTRY, { mtype: X86_64, tc: zombie(context, part) });
    return;
  }
  for (const { tid, part: thread } of threads) {
    const isLeader = thread === part;
    const label = isLeader ? `task ${ids.pid}` : `thread ${tid} of task ${ids.pid}`;
    set.add(IMAGES.CORE, tid, CORE_ENTRY, {
      mtype: X86_64,
      thread_info: registersOf(context, thread, label),
      ...(isLeader ? { tc: processCore(context, process) } : {}),
      thread_core: threadCore(context, thread, label, isLeader),
    });
  }
  writeObjects(context, process, namespaces);
}

function writeObjects(context: ToCriu, process: Process, namespaces: NamespaceIds): void {
  const { reader, set } = context;
  const { ids, part } = process;
  const objects = context.objects(part);
  const own = (type: RecordedObject, objref: number, what: string): number => {
    if (context.isFirst(type, objref)) return context.id(type, objref);
    context.losses.add(
      `task ${ids.pid}`,
      `${what} shared with another process`,
      "criu restores every process with its own",
    );
    return context.newId(type);
  };
  for (const { part: thread, tid } of process.threads) {
    const { files_objref, fs_objref, mm_objref } = context.objects(thread);
    if (
      files_objref !== objects.files_objref ||
      fs_objref !== objects.fs_objref ||
      mm_objref !== objects.mm_objref
    )
      context.losses.add(
        `thread ${tid} of task ${ids.pid}`,
        "descriptors, directories or memory that its process does not have",
        "threads of a CRIU set share all of them",
      );
  }
  set.add(IMAGES.IDS, ids.pid, TASK_KOBJ_IDS_ENTRY, {
    ...ROOT_IDS,
    ...namespaces,
    vm_id: own("MM", objects.mm_objref, "memory"),
    files_id: context.id("FILE_TABLE", objects.files_objref),
    fs_id: own("FS", objects.fs_objref ?? 0, "directories and umask"),
    sighand_id: own("SIGHAND", objects.sighand_objref, "signal actions"),
  });
  const mm = reader.object(objects.mm_objref, "MM");
  if (mm === undefined)
    throw reader.image.error(
      part.records[0] ?? 0,
      `task ${ids.pid} has no address space, which criu cannot restore`,
    );
  writeMemory(context, process, mm);
  writeFs(context, ids.pid, reader.object(objects.fs_objref ?? 0, "FS"));
}

/** fs-PID.img. Directories whose names were gone are open files, others only names. */
function writeFs(context: ToCriu, pid: number, fs: Part | undefined): void {
  const { reader, set } = context;
  const umask = fs && reader.get(fs, RECORDS.FS).value.umask;
  const extra = fs && reader.find(fs, RECORDS.FS_EXTRA)?.value;
  const directory = (nth: number, objref = 0, mode = 0): number =>
    objref > 0
      ? context.fileId(objref)
      : addPath(context, (fs && reader.text(fs, RECORDS.FILE_NAME, nth)) ?? "/", mode);
  set.add(IMAGES.FS, pid, FS_ENTRY, {
    cwd_id: directory(0, extra?.cwd_objref, extra?.cwd_mode),
    root_id: directory(1, extra?.root_objref, extra?.root_mode),
    ...(umask === undefined ? {} : { umask }),
  });
}

function zombie({ reader }: ToCriu, part: Part): TaskCoreEntry {
  return {
    task_state: TASK_STATE.values.get("zombie") as number,
    exit_code: reader.get(part, RECORDS.TASK).value.exit_code,
    personality: 0,
    flags: 0,
    blk_sigset: 0n,
    comm: reader.text(part, RECORDS.STRING) ?? "",
    sigactions: [],
  };
}

function processCore(context: ToCriu, { ids, part }: Process): TaskCoreEntry {
  const { reader, losses } = context;
  const { value: task } = reader.get(part, RECORDS.TASK);
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const owner = context.signalOwner(part);
  const { value: signal } = reader.get(owner, RECORDS.SIGNAL);
  const isStopped = task.state === TASK_STOPPED;
  const handlers = reader.object(context.objects(part).sighand_objref, "SIGHAND");
  const queue = reader.index(owner, RECORDS.SIGPENDING) as number;
  if (task.exit_signal !== SIGCHLD)
    losses.add(
      `task ${ids.pid}`,
      `that it ends with signal ${task.exit_signal} instead of SIGCHLD`,
      "criu does not store it",
    );
  const has = (flag: number): boolean => ((extra?.flags ?? 0) & flag) !== 0;
  return {
    task_state: TASK_STATE.values.get(isStopped ? "stopped" : "alive") as number,
    exit_code: 0,
    personality: Number(BigInt.asUintN(32, extra?.personality ?? 0n)),
    flags: TASK_FLAGS.reduce((sum, [bit, flag]) => (((task.flags ?? 0) & bit) === 0 ? sum : sum | flag), 0),
    blk_sigset: blockedSignals(context, part),
    comm: reader.text(part, RECORDS.STRING) ?? "",
    timers: timersOf(context, part),
    rlimits: { rlimits: signal.rlim.map(({ rlim_cur: cur, rlim_max: max }) => ({ cur, max })) },
    signals_s: signalQueue(context, queue),
    ...(extra !== undefined && has(STORED.loginuid) ? { loginuid: extra.loginuid } : {}),
    ...(extra !== undefined && has(STORED.oomScoreAdj) ? { oom_score_adj: extra.oom_score_adj } : {}),
    sigactions: handlers === undefined ? [] : signalActions(context, handlers),
    ...(extra === undefined ? {} : { child_subreaper: extra.child_subreaper === 1 }),
    ...(isStopped && extra?.stop_signo ? { stop_signo: extra.stop_signo } : {}),
    ...(extra?.membarrier_mask ? { membarrier_registration_mask: extra.membarrier_mask } : {}),
  };
}

function threadCore(context: ToCriu, part: Part, label: string, isLeader: boolean): ThreadCoreEntry {
  const { reader } = context;
  const { value: task } = reader.get(part, RECORDS.TASK);
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const rseq = reader.find(part, RECORDS.RSEQ)?.value;
  const stack = task.sas_ss_size ?? 0;
  const has = (flag: number): boolean => ((extra?.flags ?? 0) & flag) !== 0;
  // The queue of the process, where this task brings it, stands before its own.
  const queue = reader.index(part, RECORDS.SIGPENDING, -1) as number;
  return {
    futex_rla: task.robust_futex_list,
    futex_rla_len: task.robust_futex_head_len,
    ...(extra !== undefined && has(STORED.scheduling)
      ? {
          sched_nice: extra.sched_nice,
          sched_policy: extra.sched_policy,
          ...(extra.sched_priority === 0 ? {} : { sched_prio: extra.sched_priority }),
        }
      : {}),
    ...(isLeader ? {} : { blk_sigset: blockedSignals(context, part) }),
    sas: {
      ss_sp: stack === 0 ? 0n : (task.sas_ss_sp ?? 0n),
      ss_size: BigInt(stack),
      ss_flags: stack === 0 ? SS_DISABLE : 0,
    },
    ...(task.pdeath_signal === 0 ? {} : { pdeath_sig: task.pdeath_signal }),
    signals_p: signalQueue(context, queue),
    creds: credentialsOf(context, part, label),
    ...seccomp(context, extra),
    comm: reader.text(part, RECORDS.STRING) ?? "",
    ...(rseq === undefined
      ? {}
      : {
          rseq_entry: {
            rseq_abi_pointer: rseq.abi_pointer,
            rseq_abi_size: rseq.abi_size,
            signature: rseq.signature,
            ...(rseq.cs_pointer === 0n ? {} : { rseq_cs_pointer: rseq.cs_pointer }),
          },
        }),
    cg_set:
      extra !== undefined && has(STORED.cgroupSet)
        ? extra.cgroup_set
        : rootCgroupSet(context, reader.tree.head as Part),
  };
}

function seccomp(
  context: ToCriu,
  extra: { readonly seccomp_mode: number; readonly seccomp_filter: number } | undefined,
): Pick<ThreadCoreEntry, "seccomp_mode" | "seccomp_filter"> {
  if (extra === undefined || extra.seccomp_mode === 0) return {};
  const filter =
    extra.seccomp_mode === SECCOMP_MODE_FILTER ? seccompIndex(context, extra.seccomp_filter) : undefined;
  return { seccomp_mode: extra.seccomp_mode, ...(filter === undefined ? {} : { seccomp_filter: filter }) };
}

function blockedSignals({ reader }: ToCriu, part: Part): bigint {
  return reader.get(part, RECORDS.SIGNAL_TASK).value.blocked.readBigUInt64LE();
}
