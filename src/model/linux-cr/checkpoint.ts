import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
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
import { taskIds } from "./pids.js";
import { decodePipes } from "./pipes.js";
import { StreamReader } from "./reader.js";
import { pageSizeOf } from "./saved-pages.js";
import { decodeSeccompFilters } from "./seccomp.js";
import { Segments } from "./segments.js";
import { LinuxCrTask, type TaskContext } from "./tasks.js";

/** The slim backend makes no namespaces, joins no control groups, and streams hold no policies. */
const NOTHING_AROUND: Omit<Surroundings, "securityModule"> = {
  namespaces: [],
  userNamespace: undefined,
  loadsPolicies: false,
  joinsControlGroups: false,
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
  const context: TaskContext = {
    reader,
    segments: new Segments(reader),
    files,
    descriptorTable,
    children: (pid) => children().get(pid) ?? [],
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

type ThreadPart = readonly [part: Part, tid: number];

/** Processes in the order of the stream, of a pid the first; the TASKs of other threads belong to the one with their tgid. */
function readTree(context: TaskContext): { byPid: Map<number, LinuxCrTask>; repeated: number[] } {
  const { reader } = context;
  const { tasks: parts } = reader.tree;
  const ids = taskIds(reader);
  const threads = new Map<number, ThreadPart[]>();
  for (const [i, part] of parts.entries()) {
    const own = ids[i];
    if (own === undefined)
      throw reader.image.error(
        part.records[0] ?? 0,
        `TREE has the ids of ${ids.length} tasks, this is one more`,
      );
    const thread = [part, own.pid] as const;
    const list = threads.get(own.tgid);
    if (list === undefined) threads.set(own.tgid, [thread]);
    else list.push(thread);
  }
  const byPid = new Map<number, LinuxCrTask>();
  const repeated: number[] = [];
  for (const [i, part] of parts.entries()) {
    const own = ids[i];
    if (own === undefined || own.pid !== own.tgid) continue;
    if (byPid.has(own.pid)) repeated.push(own.pid);
    else
      byPid.set(own.pid, new LinuxCrTask(part, own, leaderFirst(threads.get(own.pid) ?? [], part), context));
  }
  return { byPid, repeated };
}

function leaderFirst(threads: readonly ThreadPart[], leader: Part): ThreadPart[] {
  const isLeader = ([part]: ThreadPart): boolean => part === leader;
  return [...threads.filter(isLeader), ...threads.filter((thread) => !isLeader(thread))];
}

function signalOwnersOf(reader: StreamReader): Map<number, Part> {
  const owners = new Map<number, Part>();
  for (const part of reader.tree.tasks) {
    const objects = reader.find(part, RECORDS.TASK_OBJS)?.value;
    if (objects !== undefined && reader.index(part, RECORDS.SIGNAL) !== undefined)
      owners.set(objects.signal_objref, part);
  }
  return owners;
}
