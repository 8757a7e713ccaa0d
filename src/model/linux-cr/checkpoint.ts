import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import type { Checkpoint, Task, TaskId } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import type { DescriptorTable, FileTable } from "../open-file.js";
import { timerfds } from "../special-file.js";
import type { Surroundings } from "../surroundings.js";
import { decodeControlGroupSets } from "./control-groups.js";
import { decodeSecurityModule } from "./credentials.js";
import { linuxCrDescriptors } from "./descriptors.js";
import { linuxCrFiles } from "./files.js";
import { decodeIpcNamespaces, decodeUtsNamespaces } from "./ipc.js";
import { decodeLocks } from "./locks.js";
import { processesOf, taskIds } from "./pids.js";
import { decodePipes } from "./pipes.js";
import { StreamReader } from "./reader.js";
import { pageSizeOf } from "./saved-pages.js";
import { decodeSeccompFilters } from "./seccomp.js";
import { Segments } from "./segments.js";
import { linuxCrStoredMemory } from "./stored-memory.js";
import { LinuxCrTask, signalOwnersOf, type TaskContext } from "./tasks.js";

/** The slim backend makes no namespaces, joins no control groups, and streams hold no policies. */
const NOTHING_AROUND: Omit<Surroundings, "securityModule"> = {
  namespaces: [],
  userNamespace: undefined,
  loadsPolicies: false,
  joinsControlGroups: false,
  madeControlGroups: [],
};

/** The model over a linux-cr stream. What is looked at first reads the order of all records, but none of the pages. */
export function linuxCrCheckpoint(image: LinuxCrImage, reader = StreamReader.of(image)): Checkpoint {
  const files: () => FileTable = lazy(() => linuxCrFiles(reader));
  const tables = new Map<number, DescriptorTable | undefined>();
  const descriptorTable = (id: number): DescriptorTable | undefined => {
    if (!tables.has(id)) tables.set(id, linuxCrDescriptors(reader, id, files));
    return tables.get(id);
  };
  const children = lazy(() => {
    const groups = new Map<number, Task[]>();
    for (const task of tasks()) {
      const siblings = groups.get(task.ppid);
      if (siblings === undefined) groups.set(task.ppid, [task]);
      else siblings.push(task);
    }
    return groups;
  });
  const signalOwners = lazy(() => signalOwnersOf(reader));
  const segments = new Segments(reader);
  const context: TaskContext = {
    reader,
    segments,
    files,
    descriptorTable,
    children: (pid) => children().get(pid) ?? [],
    firstWith: (memoryRef) => pidsByMemory().get(memoryRef),
    signalOwner: (objref) => signalOwners().get(objref),
  };
  const tree = lazy(() => readTree(context));
  const tasks: () => LinuxCrTask[] = lazy(() => [...tree().byPid.values()]);
  const locks = lazy(() => {
    const holders = new Map<number, number>();
    for (const { filesRef, pid } of tasks()) if (!holders.has(filesRef)) holders.set(filesRef, pid);
    return decodeLocks(
      reader,
      [...holders].map(([table, pid]) => ({ table, pid })),
      files(),
    );
  });
  const seccompFilters = lazy(() => decodeSeccompFilters(reader));
  const controlGroupSets = lazy(() => decodeControlGroupSets(reader));
  const pipes = lazy(() => decodePipes(reader));
  const pidsByMemory = lazy(() => {
    const pids = new Map<number, number>();
    for (const { memoryRef, pid } of tasks()) if (!pids.has(memoryRef)) pids.set(memoryRef, pid);
    return pids;
  });
  const deletedFiles = lazy(() => files().all.flatMap(({ deleted }) => deleted ?? []));
  return {
    architecture: image.dialect.arch.name,
    get pageSize() {
      return pageSizeOf(reader);
    },
    get tasks() {
      return tasks();
    },
    get repeatedPids() {
      return tree().repeated;
    },
    task: (pid) => tree().byPid.get(pid),
    ids: () => storedIds(reader),
    storedMemory: () => linuxCrStoredMemory(reader, segments, context.firstWith),
    fileSystems: () => [],
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
    mounts: [],
    get deletedFiles() {
      return deletedFiles();
    },
    get utsNamespaces() {
      return decodeUtsNamespaces(reader);
    },
    get ipcNamespaces() {
      return decodeIpcNamespaces(reader);
    },
    get seccompFilters() {
      return seccompFilters();
    },
    get controlGroupSets() {
      return controlGroupSets();
    },
    get surroundings() {
      return { ...NOTHING_AROUND, securityModule: decodeSecurityModule(reader) };
    },
  };
}

function* storedIds(reader: StreamReader): Generator<TaskId> {
  for (const [i, { pid, tgid, record }] of taskIds(reader).entries())
    yield { id: pid, pid: tgid, origin: { ...reader.origin(record), field: `[${i}].vpid` } };
}

/** Of a pid that occurs again and again the first TASK counts. */
function readTree(context: TaskContext): { byPid: Map<number, LinuxCrTask>; repeated: number[] } {
  const byPid = new Map<number, LinuxCrTask>();
  const repeated: number[] = [];
  for (const process of processesOf(context.reader)) {
    const { pid } = process.ids;
    if (byPid.has(pid)) repeated.push(pid);
    else byPid.set(pid, new LinuxCrTask(process, context));
  }
  return { byPid, repeated };
}
