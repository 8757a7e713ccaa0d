import fs from "node:fs";
import { EIO } from "../../../linux/errno.js";
import { KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_VM } from "../../../linux/files.js";
import { SCHED_DEADLINE } from "../../../linux/sched.js";
import type { Unsupported } from "../../backend.js";
import { ExternalHolders, holderWords } from "../files/external.js";
import { Watches } from "../files/inotify.js";
import { isSaved, kindOf, type OpenFileStates, openFileName } from "../files/open-files.js";
import { ownerOf } from "../files/owners.js";
import { segmentFields } from "../memory/capture.js";
import { ownVdso, type Vdso, whyNotMappedAgain } from "../memory/vdso.js";
import { unsupportedMapping } from "../memory/vma-flags.js";
import { isSegment, isVvar, type Vma } from "../proc/mappings.js";
import { keyedLines, procLink, procNumbers, readProc } from "../proc/read.js";
import type { Stat } from "../proc/stat.js";
import { ptrace } from "../ptrace/ptrace.js";
import { USER64_CS } from "../ptrace/registers.js";
import type { SocketTable } from "../sockets/capture.js";
import { kcmp, search } from "../sys/kcmp.js";
import { KernelError } from "../sys/kernel-error.js";
import type { ProcessState } from "../tasks/capture.js";
import type { FrozenProcess } from "../tasks/freeze.js";
import { Terminals } from "../terminals/capture.js";

/** What the slim backend cannot put into an image, object by object; empty when it can take the whole tree. */
export function unsupportedInTree(
  processes: readonly ProcessState[],
  files: OpenFileStates,
  sockets: SocketTable,
): Unsupported[] {
  return [
    ...unsupportedState(processes),
    ...files.all.flatMap((file) =>
      !isSaved(file)
        ? {
            pid: file.pid,
            reason: `${openFileName(file)} is ${file.link}, which the slim backend cannot save`,
          }
        : [],
    ),
    ...unsupportedFiles(processes, files, sockets),
    ...new Terminals(processes, files).unsupported(),
    ...new Watches(processes, files).unsupported(),
  ];
}

const NAMESPACES: Readonly<Record<string, string>> = {
  cgroup: "cgroup",
  ipc: "IPC",
  mnt: "mount",
  net: "network",
  pid: "pid",
  pid_for_children: "pid",
  time: "time",
  time_for_children: "time",
  user: "user",
  uts: "UTS",
};

/**
 * What of a stopped process stands in the way of asking its threads for anything, one sentence each: found from outside,
 * as calls made by a task of another kind would do something else. Errors: BackendError when it is gone.
 */
export function unsupportedProcess({ stat, threads, isZombie }: FrozenProcess): Unsupported[] {
  const { pid } = stat;
  const found = new Set<string>();
  if (isZombie && procNumbers(pid, "task").length > 1)
    found.add("leads a thread group, has ended, and other threads still run");
  for (const tracee of threads) {
    const { tid } = tracee;
    const thread = `${pid}/task/${tid}`;
    const inThread = tid === pid ? "" : ` in thread ${tid}`;
    if (tracee.registers().get("cs") !== USER64_CS) found.add(`runs 32-bit code${inThread}`);
    if (keyedLines(readProc(thread, "status")).get("x86_Thread_features")?.includes("shstk"))
      found.add(`has a shadow stack${inThread}`);
    if (dispatchesCalls(tid)) found.add(`uses Syscall User Dispatch${inThread}`);
    for (const kind of foreignNamespaces(thread)) found.add(`is in another ${kind} namespace than crimg`);
    if (tid === pid) continue;
    if (!isShared(KCMP_FILES, pid, tid)) found.add(`has a thread ${tid} with its own descriptor table`);
    if (!isShared(KCMP_FS, pid, tid)) found.add(`has a thread ${tid} with its own working directory`);
  }
  if (stat.schedulingPolicy === SCHED_DEADLINE) found.add("has the policy SCHED_DEADLINE");
  return [...found].map((reason) => ({ pid, reason: `task ${pid} ${reason}` }));
}

/** struct ptrace_sud_config, linux/ptrace.h. */
const DISPATCH_BYTES = 32;

/** Whether calls of a thread are made a SIGSYS of, Syscall User Dispatch: those for crimg would be as well. */
function dispatchesCalls(tid: number): boolean {
  const config = Buffer.alloc(DISPATCH_BYTES);
  try {
    ptrace("getSyscallUserDispatch", tid, config.length, config);
  } catch (error) {
    // Kernels before 6.4 do not tell.
    if (error instanceof KernelError && error.errno === EIO) return false;
    throw error;
  }
  return config.readBigUInt64LE(0) !== 0n;
}

/** Kinds of namespaces that are not crimg's own. */
function foreignNamespaces(thread: string): Set<string> {
  const kinds = new Set<string>();
  for (const [name, kind] of Object.entries(NAMESPACES))
    if (procLink(thread, `ns/${name}`) !== procLink("self", `ns/${name}`)) kinds.add(kind);
  return kinds;
}

const PAGE_MASK = 4095n;
/** Areas without a file that anybody could open again. */
const UNSUPPORTED_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^\/\[aio\]/, "a context of io_setup(2)"],
  [/^\/secretmem/, "memory of memfd_secret(2), which only its task can read,"],
  [/^anon_inode:/, "memory of"],
  [/^socket:/, "a ring of a packet socket"],
];

/** What of tasks and their memory cannot be put into an image, one sentence each. */
function unsupportedState(processes: readonly ProcessState[]): Unsupported[] {
  const vdso = ownVdso();
  return [...processes.flatMap((process) => ofProcess(process, vdso)), ...shared(processes)];
}

function ofProcess({ frozen, vmas, denied }: ProcessState, vdso: Vdso | undefined): Unsupported[] {
  const { pid } = frozen.stat;
  const found: Unsupported[] = [];
  const add = (reason: string): void => {
    found.push({ pid, reason: `task ${pid} ${reason}` });
  };
  for (const vma of vmas) {
    if (isSegment(vma) && !isWhole(vma))
      add(`has a part of a System V segment at 0x${vma.start.toString(16)}`);
    const named = UNSUPPORTED_NAMES.find(([name]) => name.test(vma.name))?.[1];
    const what = isVvar(vma) ? undefined : (named ?? unsupportedMapping(vma.flags));
    if (what !== undefined) add(`has ${what} at 0x${vma.start.toString(16)}${vma.name && ` (${vma.name})`}`);
  }
  const otherVdso = vdso && whyNotMappedAgain(vmas, vdso);
  if (otherVdso !== undefined) add(otherVdso);
  if (denied !== 0) add("has PR_SET_MDWE set, which is not saved");
  return found;
}

/**
 * What tasks share without being threads: memory, as in a vfork(2) under way or by clone(2) with CLONE_VM; or a working
 * directory, or descriptors with another than their parent.
 */
function shared(processes: readonly ProcessState[]): Unsupported[] {
  const found: Unsupported[] = [];
  const stats = processes.map(({ frozen }) => frozen.stat);
  const [root] = stats;
  if (root !== undefined && isShared(KCMP_VM, root.ppid, root.pid))
    found.push({ pid: root.pid, reason: `task ${root.pid} shares its memory with its parent ${root.ppid}` });
  const add = (a: Stat, b: Stat, what: string): void => {
    found.push({ pid: b.pid, reason: `tasks ${a.pid} and ${b.pid} share ${what}` });
  };
  for (const [a, b] of sharers(stats, KCMP_VM)) add(a, b, "their memory without being threads");
  for (const [a, b] of sharers(stats, KCMP_SIGHAND))
    if (!isShared(KCMP_VM, a.pid, b.pid)) add(a, b, "their signal actions without being threads");
  for (const [a, b] of sharers(stats, KCMP_FS)) add(a, b, "their working directory");
  for (const [a, b] of sharers(stats, KCMP_FILES))
    if (b.pid !== a.ppid && !isShared(KCMP_FILES, b.ppid, b.pid))
      add(a, b, "their descriptors without one being the parent of the other");
  return found;
}

/** Pairs of tasks that have the same object of the kernel. */
function* sharers(stats: readonly Stat[], what: number): Generator<readonly [Stat, Stat]> {
  const groups: Stat[][] = [];
  for (const stat of stats) {
    const { at, found } = search(groups, ([first]) => kcmp(stat.pid, first?.pid ?? 0, what));
    if (found === undefined) groups.splice(at, 0, [stat]);
    for (const other of found ?? []) yield [other, stat];
    found?.push(stat);
  }
}

/** Segments can only be attached as wholes, shmat(2). */
function isWhole({ start, end, offset, inode }: Vma): boolean {
  const { size } = segmentFields(inode);
  return offset === 0 && BigInt(end - start) === ((BigInt(size ?? 0) + PAGE_MASK) & ~PAGE_MASK);
}

function isShared(what: number, a: number, b: number): boolean {
  return kcmp(a, b, what) === 0;
}

/** Open files that reach outside the tree: sockets, pipes and fifos, and those whose owner is another task. */
function unsupportedFiles(
  processes: readonly ProcessState[],
  files: OpenFileStates,
  sockets: SocketTable,
): Unsupported[] {
  return [
    ...sockets.unsupported.map(({ file, reason }) => ({
      pid: file.pid,
      reason: `${openFileName(file)} is a socket that ${reason}`,
    })),
    ...filesOfTasks(processes, files),
    ...externalPipes(processes, files),
    ...externalOwners(processes, files),
  ];
}

const OF_TASK = /^(\/proc\/(\d+)(?:\/task\/(\d+))?)(?:\/|$)/;

/** Files of /proc about tasks, open or as a working directory, that are not there when a restart opens them. */
function filesOfTasks(processes: readonly ProcessState[], { all }: OpenFileStates): Unsupported[] {
  const pids = new Set(processes.map(({ frozen }) => frozen.stat.pid));
  const why = (link: string): string | undefined => {
    const [, directory = "/", pid, tid = pid] = OF_TASK.exec(link) ?? [];
    if (!fs.existsSync(directory)) return `${link}, of a task that has ended`;
    return tid !== pid && pids.has(Number(pid))
      ? `${link}, which is there only once the thread ${tid} is, and threads are made after files are opened`
      : undefined;
  };
  const named = [
    ...all.map((file) => ({ pid: file.pid, name: openFileName(file), link: file.link })),
    ...processes.map(({ frozen: { stat }, cwd }) => ({
      ...{ pid: stat.pid, name: `the working directory of task ${stat.pid}`, link: cwd },
    })),
  ];
  return named.flatMap(({ pid, name, link }) => {
    const reason = why(link);
    return reason === undefined ? [] : [{ pid, reason: `${name} is ${reason}` }];
  });
}

/** A pipe of which another task has an end: what it writes or reads meanwhile would be lost. One line for each pipe. */
function externalPipes(processes: readonly ProcessState[], { all }: OpenFileStates): Unsupported[] {
  const pipes = new Map(
    all.flatMap((file) => {
      const kind = kindOf(file);
      return kind === "pipe" || kind === "fifo" ? [[file.link, { kind, file }] as const] : [];
    }),
  );
  const external = new ExternalHolders(pipes.keys(), new Set(processes.map(({ frozen }) => frozen.stat.pid)));
  return [...pipes].flatMap(([link, { kind, file }]) => {
    const holder = external.holder(link);
    const reason = `${openFileName(file)} is the ${kind} ${link}, which is also open outside the tree${holderWords(holder)}`;
    return holder === undefined ? [] : [{ pid: file.pid, reason }];
  });
}

/** SIGIO to a task that is not in the image could not be directed to it again. */
function externalOwners(processes: readonly ProcessState[], { all }: OpenFileStates): Unsupported[] {
  const ids = new Set(
    processes.flatMap(({ frozen: { stat }, threads }) => [stat.pgid, ...threads.map(({ tid }) => tid)]),
  );
  return all.flatMap((file) => {
    const { pid = 0 } = ownerOf(file) ?? {};
    const reason = `${openFileName(file)} (${file.link}) sends its signals to ${pid}, which is outside the tree`;
    return pid === 0 || ids.has(pid) ? [] : [{ pid: file.pid, reason }];
  });
}
