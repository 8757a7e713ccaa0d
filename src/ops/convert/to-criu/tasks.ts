import { IMAGES } from "../../../formats/criu/images.js";
import { TASK_STATE } from "../../../formats/criu/names.js";
import {
  CORE_ENTRY,
  CORE_ENTRY_MARCH,
  TASK_KOBJ_IDS_ENTRY,
  type TaskCoreEntry,
  type ThreadCoreEntry,
} from "../../../formats/criu/tables/core.js";
import type { ThreadInfoX86 } from "../../../formats/criu/tables/core-x86.js";
import type { CredsEntry } from "../../../formats/criu/tables/creds.js";
import { FS_ENTRY } from "../../../formats/criu/tables/fs.js";
import { PSTREE_ENTRY } from "../../../formats/criu/tables/pstree.js";
import type { RecordedObject } from "../../../formats/linux-cr/grammar.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { NO_CALL } from "../../../formats/linux-cr/tables/task.js";
import { isWithin } from "../../../io/domains.js";
import { EINTR } from "../../../linux/errno.js";
import { robustListBytes, TASK_STOPPED } from "../../../linux/sched.js";
import { SIGCHLD } from "../../../linux/signals.js";
import { NSEC_PER_MSEC } from "../../../linux/time.js";
import type { TaskAttributes, ThreadAttributes } from "../../../model/attributes.js";
import {
  encodeLimits,
  encodeTaskAttributes,
  encodeThreadAttributes,
} from "../../../model/criu/attributes.js";
import { encodeCredentials } from "../../../model/criu/credentials.js";
import { encodeRegisters, STORED_COMPONENTS } from "../../../model/criu/registers.js";
import { encodeActions, encodeQueue } from "../../../model/criu/signals.js";
import { encodeTaskTimers } from "../../../model/criu/timers.js";
import {
  decodeLimits,
  decodeTaskAttributes,
  decodeThreadAttributes,
} from "../../../model/linux-cr/attributes.js";
import { decodeControlGroupSet } from "../../../model/linux-cr/control-groups.js";
import { decodeCredentials } from "../../../model/linux-cr/credentials.js";
import {
  decodeDirectories,
  type StoredDirectories,
  type StoredDirectory,
} from "../../../model/linux-cr/directories.js";
import type { Process } from "../../../model/linux-cr/pids.js";
import { decodeRegisters } from "../../../model/linux-cr/registers.js";
import { decodeActions, decodeQueue, decodeSignalSet } from "../../../model/linux-cr/signals.js";
import { decodeIntervalTimers, decodePosixTimers } from "../../../model/linux-cr/timers.js";
import { type ExtendedState, usedComponents } from "../../../model/x86-registers.js";
import type { ToCriu } from "./context.js";
import { writeMemory } from "./memory.js";
import { type NamespaceIds, ROOT_IDS } from "./namespaces.js";
import { addPath } from "./stream-file.js";

const X86_64 = CORE_ENTRY_MARCH.values.get("X86_64") as number;
/** Flags of a task, in a stream and as the kernel has them today. */
const TASK_FLAGS: readonly (readonly [stored: number, kernel: number])[] = [
  [1, 0x40],
  [2, 0x100],
];

/** What a system call returns that is to be called again: the kernel's own numbers, which no program sees. */
const RESTARTS: ReadonlySet<bigint> = new Set([512n, 513n, 514n]);
const RESTART_BY_BLOCK = 516n;
const SYSCALL_BYTES = 2n;

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

/** Registers of a thread and what the kernel keeps beside them. `label` is what messages call it. */
function registersOf(context: ToCriu, part: Part, label: string): ThreadInfoX86 {
  const { reader, losses } = context;
  const { value: block } = reader.get(part, RECORDS.RESTART_BLOCK);
  if (block.function_type !== NO_CALL)
    losses.add(
      label,
      `that its system call goes on for the ${block.arg_4 / NSEC_PER_MSEC} ms it has left`,
      "a set has no place for it: criu lets such a call end with EINTR",
    );
  const { general, extended, ...state } = decodeRegisters(reader, part);
  return {
    clear_tid_addr: reader.get(part, RECORDS.TASK).value.clear_child_tid ?? 0n,
    ...encodeRegisters({
      ...state,
      general: afterSystemCall(general),
      extended: withoutUnknown(context, extended, label),
    }),
  };
}

/**
 * A task that was stopped inside a system call returns from it as criu's own dumps have it: it is called again, or, when
 * only the kernel knows how to go on with it, ends with EINTR.
 */
function afterSystemCall(general: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const [ax = 0n, ip = 0n, call = 0n] = ["ax", "ip", "orig_ax"].map((name) => general.get(name));
  if (BigInt.asIntN(64, call) < 0n) return general;
  const code = -BigInt.asIntN(64, ax);
  if (RESTARTS.has(code)) return new Map([...general, ["ax", call], ["ip", ip - SYSCALL_BYTES]]);
  return code === RESTART_BY_BLOCK
    ? new Map([...general, ["ax", BigInt.asUintN(64, -BigInt(EINTR))]])
    : general;
}

function withoutUnknown({ losses }: ToCriu, state: ExtendedState, label: string): ExtendedState {
  const unknown = usedComponents(state).flatMap(([component]) =>
    STORED_COMPONENTS.has(component) ? [] : component,
  );
  if (unknown.length === 0) return state;
  losses.add(label, `the processor state of XSAVE component ${unknown.join(", ")}`, "criu does not store it");
  const inUse = unknown.reduce((bits, component) => bits & ~(1n << BigInt(component)), state.inUse ?? 0n);
  return { ...state, inUse };
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
  const attributes = decodeTaskAttributes(reader, part);
  for (const { part: thread, tid } of process.threads) {
    const { files_objref, fs_objref, mm_objref } = context.objects(thread);
    if (hasOwnAttributes(decodeTaskAttributes(reader, thread), attributes))
      context.losses.add(
        `thread ${tid} of task ${ids.pid}`,
        "a personality, stop signal or other attribute that its process does not have",
        "a CRIU set stores one for all threads",
      );
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

/** Whether a thread has an attribute, not the default, that its process does not have. */
function hasOwnAttributes(thread: TaskAttributes, process: TaskAttributes): boolean {
  const ofProcess = new Map<string, unknown>(Object.entries(process));
  return Object.entries(thread).some(([name, value]) => Boolean(value) && value !== ofProcess.get(name));
}

/** Streams before v21 have no FS. */
const AT_ROOT: StoredDirectories = {
  umask: undefined,
  cwd: { path: "/", objref: 0, mode: 0 },
  root: { path: "/", objref: 0, mode: 0 },
};

/** fs-PID.img. Directories whose names were gone are open files, others only names. */
function writeFs(context: ToCriu, pid: number, fs: Part | undefined): void {
  const { umask, cwd, root } = fs === undefined ? AT_ROOT : decodeDirectories(context.reader, fs);
  const fileId = ({ objref, path, mode }: StoredDirectory): number =>
    objref > 0 ? context.fileId(objref) : addPath(context, path, mode);
  context.set.add(IMAGES.FS, pid, FS_ENTRY, {
    cwd_id: fileId(cwd),
    root_id: fileId(root),
    ...(umask === undefined ? {} : { umask }),
  });
}

function zombie({ reader, unwritten }: ToCriu, part: Part): TaskCoreEntry {
  for (const index of part.records) unwritten.add(index);
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
  const owner = context.signalOwner(part);
  const isStopped = task.state === TASK_STOPPED;
  const handlers = reader.object(context.objects(part).sighand_objref, "SIGHAND");
  const queue = reader.index(owner, RECORDS.SIGPENDING) as number;
  if (task.exit_signal !== SIGCHLD)
    losses.add(
      `task ${ids.pid}`,
      `that it ends with signal ${task.exit_signal} instead of SIGCHLD`,
      "criu does not store it",
    );
  return {
    task_state: TASK_STATE.values.get(isStopped ? "stopped" : "alive") as number,
    exit_code: 0,
    ...encodeTaskAttributes(decodeTaskAttributes(reader, part)),
    flags: TASK_FLAGS.reduce((sum, [bit, flag]) => (((task.flags ?? 0) & bit) === 0 ? sum : sum | flag), 0),
    blk_sigset: blockedSignals(context, part),
    comm: reader.text(part, RECORDS.STRING) ?? "",
    timers: encodeTaskTimers([...decodeIntervalTimers(reader, owner), ...decodePosixTimers(reader, part)]),
    rlimits: encodeLimits(decodeLimits(reader, owner)),
    signals_s: encodeQueue(decodeQueue(reader, queue)),
    sigactions: handlers === undefined ? [] : encodeActions(decodeActions(reader, handlers)),
  };
}

function threadCore(context: ToCriu, part: Part, label: string, isLeader: boolean): ThreadCoreEntry {
  const { reader } = context;
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  // The queue of the process, where this task brings it, stands before its own.
  const queue = reader.index(part, RECORDS.SIGPENDING, -1) as number;
  return {
    ...encodeThreadAttributes(withOwnRobustList(context, part, label)),
    ...(isLeader ? {} : { blk_sigset: blockedSignals(context, part) }),
    signals_p: encodeQueue(decodeQueue(reader, queue)),
    creds: credentialsOf(context, part, label),
    ...seccomp(context, extra),
    comm: reader.text(part, RECORDS.STRING) ?? "",
    cg_set: decodeControlGroupSet(reader, part) ?? context.rootCgroupSet(),
  };
}

/** criu stores the robust list of the code that a thread runs, and not that of 32-bit code beside it. */
function withOwnRobustList({ reader, losses }: ToCriu, part: Part, label: string): ThreadAttributes {
  const attributes = decodeThreadAttributes(reader, part);
  const { addresses } = attributes;
  const { robustListBytes: bytes } = addresses;
  const isCompatList = isWithin(robustListBytes(4), bytes) && !isWithin(robustListBytes(8), bytes);
  if (!isCompatList || decodeRegisters(reader, part).isCompat) return attributes;
  losses.add(label, "its robust list of 32-bit code", "criu stores that of 64-bit code alone");
  return { ...attributes, addresses: { ...addresses, robustList: 0n, robustListBytes: 0 } };
}

/** What a thread may do: its own credentials, those that count. `label` is what messages call it. */
function credentialsOf({ reader, losses }: ToCriu, part: Part, label: string): CredsEntry {
  const { index, value: refs } = reader.get(part, RECORDS.TASK_CREDS);
  const credentials = decodeCredentials(reader, part);
  if (credentials === undefined)
    throw reader.image.error(index, `there are no credentials with the number ${refs.ecred_ref}`);
  if (refs.ecred_ref !== refs.cred_ref)
    losses.add(
      label,
      "its real credentials, since it acts with other ones",
      "criu stores one set for each thread",
    );
  // Without our record nothing is known of ambient capabilities.
  const isKnown = reader.index(part, RECORDS.TASK_EXTRA) !== undefined;
  return { ...encodeCredentials(credentials), ...(isKnown ? {} : { cap_amb: [] }) };
}

function seccomp(
  context: ToCriu,
  extra: { readonly seccomp_mode: number; readonly seccomp_filter: number } | undefined,
): Pick<ThreadCoreEntry, "seccomp_mode" | "seccomp_filter"> {
  if (extra === undefined) return {};
  const filter = context.seccompPlaces().get(extra.seccomp_filter);
  return {
    ...(extra.seccomp_mode === 0 ? {} : { seccomp_mode: extra.seccomp_mode }),
    ...(filter === undefined ? {} : { seccomp_filter: filter }),
  };
}

function blockedSignals({ reader }: ToCriu, part: Part): bigint {
  return decodeSignalSet(reader.image, reader.get(part, RECORDS.SIGNAL_TASK).value.blocked);
}
