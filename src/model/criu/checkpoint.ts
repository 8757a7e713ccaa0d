import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { pageSizeOf } from "../../formats/criu/pages-size.js";
import { CORE_ENTRY_MARCH } from "../../formats/criu/tables/core.js";
import { enumName } from "../../schema/enums.js";
import type { Checkpoint, DeletedFile, DescriptorTable, FileTable, Task } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { criuDeletedFiles } from "./deleted-files.js";
import { criuFileTable } from "./files.js";
import { criuIpcNamespaces, criuUtsNamespaces } from "./ipc.js";
import { criuLocks } from "./locks.js";
import { criuMounts, criuPipeBuffers } from "./mounts.js";
import { criuSurroundings } from "./surroundings.js";
import { CriuTask, criuDescriptorTable } from "./tasks.js";

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
  const tasks = lazy(() =>
    set
      .records(IMAGES.PSTREE)
      .map(({ value, index }): Task => new CriuTask(value, index, { set, files, children, descriptorTable })),
  );
  const byPid = lazy(() => new Map(tasks().map((task) => [task.pid, task])));
  const childrenByPid = lazy(() => groupByParent(tasks()));
  const children = (pid: number): readonly Task[] => childrenByPid().get(pid) ?? [];
  const locks = lazy(() =>
    criuLocks(
      set,
      (pid, fd) => descriptorIndex(byPid().get(pid)?.descriptors)?.get(fd)?.file,
      (pid) => byPid().get(pid)?.descriptors?.id,
    ),
  );
  const mounts = lazy(() => criuMounts(set));
  const pipes = lazy(() => criuPipeBuffers(set));
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
    task: (pid) => byPid().get(pid),
    get files() {
      return files();
    },
    get locks() {
      return locks();
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
      return criuUtsNamespaces(set);
    },
    get ipcNamespaces() {
      return criuIpcNamespaces(set);
    },
    get surroundings() {
      return criuSurroundings(set);
    },
  };
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
  const root = set.records(IMAGES.PSTREE)[0]?.value.pid;
  const type = root === undefined ? undefined : set.first(IMAGES.CORE, root)?.mtype;
  return type === undefined ? "UNKNOWN" : enumName(CORE_ENTRY_MARCH, type);
}
