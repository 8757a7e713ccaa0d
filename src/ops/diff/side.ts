import type { Document } from "../../model/document.js";
import { lazy } from "../../model/lazy.js";
import type { OpenFile } from "../../model/open-file.js";
import { Holders } from "./holders.js";
import type { Side } from "./section.js";

/** Number of descriptors that identify a pipe. */
const NAMED_ENDS = 4;

/** One side of a comparison; `keys` are the common names of tasks. */
export function sideOf(document: Document, keys: ReadonlyMap<number, string>): Side {
  const { checkpoint } = document;
  const taskKey = (pid: number): string => keys.get(pid) ?? `${pid}`;
  const holders = lazy(() => new Holders(checkpoint.tasks, taskKey));
  const pipeEnds = lazy(() => {
    const ends = new Map<string, string[]>();
    // In the order of descriptors: files have no order that two images share.
    for (const file of holders().files()) {
      if (file.pipeId === undefined) continue;
      const key = `${file.type}:${file.pipeId}`;
      const named = ends.get(key) ?? [];
      if (named.length < NAMED_ENDS)
        named.push(
          ...holders()
            .all(file)
            .slice(0, NAMED_ENDS - named.length),
        );
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
  const held = (file: OpenFile): string => holders().first(file) ?? "nobody";
  const fileName = (file: OpenFile | undefined): string | undefined => {
    if (file === undefined) return undefined;
    if (file.path !== undefined) return file.path;
    if (file.pipeId !== undefined)
      return `${file.type.toLowerCase()} between ${(pipeEnds().get(`${file.type}:${file.pipeId}`) ?? []).join(", ")}`;
    if (file.socket?.family === "UNIX" && file.socket.local === "")
      return `unix ${file.socket.type} ${held(file)}${file.socket.peer === undefined ? "" : ` to ${held(file.socket.peer)}`}`;
    if (file.type === "MEMFD" || file.socket !== undefined) return file.label;
    return file.label.replace(/\[\d+\]/, "");
  };
  return {
    document,
    taskKey,
    tasks: () => checkpoint.tasks,
    fileName,
    pipe: ({ type, pipeId }) =>
      pipeId === undefined ? undefined : pipes().get(`${type.toLowerCase()} ${pipeId}`),
    // CRIU stores paths as regular files and shared anonymous memory as a memfd; linux-cr stores names and memory.
    isOpenFile: (file) => {
      if (isAnonymousMemory(file)) return holders().first(file) !== undefined;
      if (file.type !== "REG") return true;
      if (nodes().has(file.id)) return false;
      const isDirectoryOfTask = (holder: string): boolean => /:(cwd|root)$/.test(holder);
      return (
        file.deleted !== undefined ||
        mapped().has(file) ||
        holders()
          .all(file)
          .some((holder) => !isDirectoryOfTask(holder))
      );
    },
    holder: (file) => holders().first(file),
    holders: (file) => holders().all(file),
  };
}

/** How criu stores a mapping with MAP_SHARED and MAP_ANONYMOUS. */
export function isAnonymousMemory(file: OpenFile): boolean {
  return file.type === "MEMFD" && file.label === "memfd:/dev/zero";
}
