import path from "node:path";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { pageSizeOf } from "../../formats/criu/pages-size.js";
import { CORE_ENTRY_MARCH } from "../../formats/criu/tables/core.js";
import { enumName } from "../../io/enums.js";
import { type ErrorPlace, FormatError } from "../../io/errors.js";
import { MAX_THREADS } from "../../io/limits.js";
import type { Checkpoint, Task, TaskId } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { DeletedFile, DescriptorTable, FileTable } from "../open-file.js";
import { timerfds } from "../special-file.js";
import { decodeControlGroupSets } from "./control-groups.js";
import { criuDeletedFiles } from "./deleted-files.js";
import { criuDescriptorTable } from "./descriptors.js";
import { criuFileTable } from "./files.js";
import { decodeIpcNamespaces, decodeUtsNamespaces } from "./ipc.js";
import { decodeLocks } from "./locks.js";
import { criuMounts } from "./mounts.js";
import { decodePipes } from "./pipes.js";
import { decodeSeccompFilters } from "./seccomp.js";
import { criuStoredMemory } from "./stored-memory.js";
import { criuSurroundings } from "./surroundings.js";
import { CriuTask, type TaskContext } from "./tasks.js";
import { criuTmpfs } from "./tmpfs.js";

/** `uname -m` of the architectures that core_entry.mtype names. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  X86_64: "x86_64",
  ARM: "armv7l",
  AARCH64: "aarch64",
  PPC64: "ppc64le",
  S390: "s390x",
  MIPS: "mips64",
  LOONGARCH64: "loongarch64",
  RISCV64: "riscv64",
};

/** The model over a CRIU image set. Nothing is read before it is looked at. */
export function criuCheckpoint(set: CriuImageSet): Checkpoint {
  const files: () => FileTable = lazy(() => criuFileTable(set, deletedById));
  const deletedFiles: () => DeletedFile[] = lazy(() => criuDeletedFiles(set, files()));
  const deletedById = lazy(() => new Map(deletedFiles().map((file) => [file.fileId, file])));
  const tables = new Map<number, DescriptorTable>();
  const descriptorTable = (id: number): DescriptorTable => {
    const table = tables.get(id) ?? criuDescriptorTable(set, id, files);
    tables.set(id, table);
    return table;
  };
  const tree = lazy(() => readTree(set, { set, files, children, descriptorTable, threads: new Map() }));
  const byPid = (): ReadonlyMap<number, Task> => tree().byPid;
  const tasks = lazy(() => [...byPid().values()]);
  const childrenByPid = lazy(() => groupByParent(tasks()));
  const children = (pid: number): readonly Task[] => childrenByPid().get(pid) ?? [];
  const locks = lazy(() =>
    decodeLocks(set, {
      fileOf: (pid, fd) => descriptorIndex(byPid().get(pid)?.descriptors)?.get(fd)?.file,
      tableOf: (pid) => byPid().get(pid)?.descriptors?.id,
    }),
  );
  const mounts = lazy(() => criuMounts(set));
  const seccompFilters = lazy(() => decodeSeccompFilters(set));
  const controlGroupSets = lazy(() => decodeControlGroupSets(set));
  const pipes = lazy(() => decodePipes(set));
  const architecture = lazy(() => ARCHITECTURES[archName(set)] ?? "unknown");
  return {
    get architecture() {
      return architecture();
    },
    get pageSize() {
      return pageSizeOf(set);
    },
    get tasks() {
      return tasks();
    },
    get repeatedPids() {
      return tree().repeated;
    },
    task: (pid) => byPid().get(pid),
    ids: () => storedIds(set, byPid()),
    storedMemory: () => criuStoredMemory(set),
    fileSystems: () => criuTmpfs(set),
    get files() {
      return files();
    },
    get locks() {
      return locks();
    },
    get timerfds() {
      return timerfds(files().all);
    },
    get pipes() {
      return pipes();
    },
    get mounts() {
      return mounts();
    },
    get deletedFiles() {
      return deletedFiles();
    },
    get utsNamespaces() {
      return decodeUtsNamespaces(set);
    },
    get ipcNamespaces() {
      return decodeIpcNamespaces(set);
    },
    get seccompFilters() {
      return seccompFilters();
    },
    get controlGroupSets() {
      return controlGroupSets();
    },
    get surroundings() {
      return criuSurroundings(set);
    },
  };
}

/** Of a pid that occurs again and again the first record counts: each look at one reads the images of that pid. */
function readTree(set: CriuImageSet, context: TaskContext) {
  const byPid = new Map<number, Task>();
  const repeated: number[] = [];
  let threads = 0;
  for (const { value, index, offset } of set.image(IMAGES.PSTREE)?.heldRecords() ?? []) {
    threads += value.threads.length;
    if (threads > MAX_THREADS) {
      const text = `too large: at most ${MAX_THREADS} threads are held`;
      set.refuse(IMAGES.PSTREE.file, index, new FormatError("TOO_LARGE", text, place(set, index, offset)));
      break;
    }
    if (byPid.has(value.pid)) repeated.push(value.pid);
    else byPid.set(value.pid, new CriuTask(value, index, context));
  }
  return { byPid, repeated };
}

/** The thread list of a zombie holds what stood in criu's memory, and a task without its core may be one. */
function* storedIds(set: CriuImageSet, tasks: ReadonlyMap<number, Task>): Generator<TaskId> {
  const seen = new Set<number>();
  for (const { value, index } of set.image(IMAGES.PSTREE)?.heldRecords() ?? []) {
    const { pid, threads } = value;
    const origin = { image: IMAGES.PSTREE.file, record: index };
    const state = tasks.get(pid)?.state;
    const isListed = !seen.has(pid) && state !== "zombie" && state !== "unknown";
    const ids = isListed ? threads : [];
    if (!ids.includes(pid)) yield { id: pid, pid, origin };
    for (const id of ids) yield { id, pid, origin };
    seen.add(pid);
  }
}

function place(set: CriuImageSet, index: number, offset: number): ErrorPlace {
  return { file: path.join(set.name, IMAGES.PSTREE.file), path: `[${index}]`, offset };
}

function groupByParent(tasks: readonly Task[]): Map<number, Task[]> {
  const groups = new Map<number, Task[]>();
  for (const task of tasks) {
    const siblings = groups.get(task.ppid);
    if (siblings === undefined) groups.set(task.ppid, [task]);
    else siblings.push(task);
  }
  return groups;
}

const indexes = new WeakMap<DescriptorTable, Map<number, DescriptorTable["descriptors"][number]>>();

/** Descriptors of a table by number, so that many locks of one task stay linear. */
function descriptorIndex(
  table: DescriptorTable | undefined,
): Map<number, DescriptorTable["descriptors"][number]> | undefined {
  if (table === undefined) return undefined;
  let index = indexes.get(table);
  if (index === undefined) {
    index = new Map(table.descriptors.map((descriptor) => [descriptor.fd, descriptor]));
    indexes.set(table, index);
  }
  return index;
}

function archName(set: CriuImageSet): string {
  const root = set.firstIfAny(IMAGES.PSTREE)?.pid;
  const type = root === undefined ? undefined : set.first(IMAGES.CORE, root)?.mtype;
  return type === undefined ? "UNKNOWN" : enumName(CORE_ENTRY_MARCH, type);
}
