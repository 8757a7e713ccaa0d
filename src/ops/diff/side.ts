import type { Document } from "../../model/document.js";
import { lazy } from "../../model/lazy.js";
import type { OpenFile } from "../../model/open-file.js";
import type { Side } from "./section.js";

/** Number of descriptors that identify a pipe. */
const NAMED_ENDS = 4;

/** One side of a comparison; `keys` are the common names of tasks. */
export function sideOf(document: Document, keys: ReadonlyMap<number, string>): Side {
  const { checkpoint } = document;
  const holders = lazy(() => holdersByFile(document, keys));
  const pipeEnds = lazy(() => {
    const ends = new Map<string, string[]>();
    // In the order of descriptors: files have no order that two images share.
    for (const [file, names] of holders()) {
      if (file.pipeId === undefined) continue;
      const key = `${file.type}:${file.pipeId}`;
      const named = ends.get(key) ?? [];
      named.push(...names.slice(0, NAMED_ENDS - named.length));
      ends.set(key, named);
    }
    return ends;
  });
  const mapped = lazy(() => {
    const files = new Set<OpenFile | undefined>();
    for (const { mappings } of checkpoint.tasks) for (const { file } of mappings) files.add(file);
    return files;
  });
  const pipes = lazy(() => new Map(checkpoint.pipes.map((pipe) => [`${pipe.kind} ${pipe.pipeId}`, pipe])));
  const nodes = lazy(() => new Set(checkpoint.files.all.map(({ record }) => record.regf_id)));
  const holdersOf = (file: OpenFile): readonly string[] => holders().get(file) ?? [];
  const held = (file: OpenFile): string => holdersOf(file)[0] ?? "nobody";
  const nameOf = (file: OpenFile): string => {
    if (file.path !== undefined) return file.path;
    if (file.pipeId !== undefined)
      return `${file.type.toLowerCase()} between ${(pipeEnds().get(`${file.type}:${file.pipeId}`) ?? []).join(", ")}`;
    if (file.socket?.family === "UNIX" && file.socket.local === "")
      return `unix ${file.socket.type} ${held(file)}${file.socket.peer === undefined ? "" : ` to ${held(file.socket.peer)}`}`;
    if (file.type === "MEMFD" || file.socket !== undefined) return file.label;
    return file.label.replace(/\[\d+\]/, "");
  };
  // Several sections ask for the name of each of 60,000 files.
  const names = new Map<OpenFile, string>();
  const fileName = (file: OpenFile | undefined): string | undefined => {
    if (file === undefined) return undefined;
    let name = names.get(file);
    if (name === undefined) {
      name = nameOf(file);
      names.set(file, name);
    }
    return name;
  };
  return {
    document,
    taskKey: (pid) => keys.get(pid) ?? `${pid}`,
    tasks: () => checkpoint.tasks,
    fileName,
    pipe: ({ type, pipeId }) =>
      pipeId === undefined ? undefined : pipes().get(`${type.toLowerCase()} ${pipeId}`),
    // CRIU stores paths as regular files and shared anonymous memory as a memfd; linux-cr stores names and memory.
    isOpenFile: (file) => {
      if (isAnonymousMemory(file)) return holdersOf(file).length > 0;
      if (file.type !== "REG") return true;
      if (nodes().has(file.id)) return false;
      const isDirectoryOfTask = (holder: string): boolean => /:(cwd|root)$/.test(holder);
      return (
        file.deleted !== undefined ||
        mapped().has(file) ||
        holdersOf(file).some((holder) => !isDirectoryOfTask(holder))
      );
    },
    holders: holdersOf,
  };
}

/** How criu stores a mapping with MAP_SHARED and MAP_ANONYMOUS. */
export function isAnonymousMemory({ type, label }: OpenFile): boolean {
  return type === "MEMFD" && label === "memfd:/dev/zero";
}

function holdersByFile(document: Document, keys: ReadonlyMap<number, string>): Map<OpenFile, string[]> {
  const holders = new Map<OpenFile, string[]>();
  const seen = new Set<unknown>();
  for (const task of document.checkpoint.tasks) {
    const table = task.descriptors;
    if (table === undefined || seen.has(table)) continue;
    seen.add(table);
    for (const { fd, file } of table.descriptors) {
      if (file === undefined) continue;
      const name = `${keys.get(task.pid) ?? task.pid}:${fd}`;
      const list = holders.get(file);
      if (list === undefined) holders.set(file, [name]);
      else list.push(name);
    }
  }
  for (const task of document.checkpoint.tasks)
    for (const role of ["exe", "cwd", "root"] as const) {
      const file = task[role];
      if (file !== undefined && !holders.has(file))
        holders.set(file, [`${keys.get(task.pid) ?? task.pid}:${role}`]);
    }
  return holders;
}
