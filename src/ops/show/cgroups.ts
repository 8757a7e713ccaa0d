import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CgroupDirEntry } from "../../formats/criu/tables/cgroup.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document, LinuxCrDocument } from "../../model/document.js";
import { controlGroupsOf } from "../../model/linux-cr/control-groups.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface CgroupsView extends ViewHead<"cgroups"> {
  readonly sets: readonly CgroupSet[];
  readonly directories: readonly CgroupDirectory[];
}

/** Threads in the same control groups. */
export interface CgroupSet {
  readonly id: number;
  /** True for the control groups of criu, whose paths are not in the image. */
  readonly outside: boolean;
  readonly tids: readonly number[];
  readonly members: readonly CgroupMember[];
}

export interface CgroupMember {
  /** Empty for the unified hierarchy of cgroup v2. */
  readonly controllers: string;
  readonly path: string;
  /** Part of the path outside of the cgroup namespace. */
  readonly outsidePrefix?: string | undefined;
}

/** A directory that the restore creates, with the files it writes in stored order. */
export interface CgroupDirectory {
  readonly controllers: string;
  readonly path: string;
  readonly threaded?: boolean | undefined;
  readonly mode?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

/** Control groups of the tasks and their saved properties. */
export function cgroupsView(document: Document, options: ShowOptions = {}): CgroupsView {
  if (document.family === "linux-cr")
    return { ...viewHead("cgroups"), sets: setsOfStream(document, options), directories: [] };
  const { checkpoint, set } = document;
  const stored = set.first(IMAGES.CGROUP);
  const outside = set.first(IMAGES.INVENTORY)?.root_cg_set;
  const tids = new Map<number, number[]>();
  for (const { threads } of chosenTasks(checkpoint, options))
    for (const { tid } of threads) {
      const id = setOfThread(set, tid);
      if (id === undefined) continue;
      const list = tids.get(id);
      if (list === undefined) tids.set(id, [tid]);
      else list.push(tid);
    }
  const members = new Map(stored?.sets.map(({ id, ctls }) => [id, ctls]));
  const sets = [...tids].map(([id, tids]) => ({
    ...{ id, outside: id === outside && !members.has(id), tids },
    members: (members.get(id) ?? []).map(({ name, path, cgns_prefix: prefix }) => ({
      ...{ controllers: name, path },
      outsidePrefix: prefix ? path.slice(0, prefix) : undefined,
    })),
  }));
  const directories = (stored?.controllers ?? []).flatMap(({ cnames, dirs, is_threaded: threaded }) =>
    dirs.flatMap((dir) => [...directoriesOf(dir, cnames.join(","), "", threaded)]),
  );
  return { ...viewHead("cgroups"), sets, directories };
}

/** crimg extension records CGROUP_SET: lines of controllers and path, as in cgroups(7). */
function setsOfStream({ reader, checkpoint }: LinuxCrDocument, options: ShowOptions): CgroupSet[] {
  const tids = new Map<number, number[]>();
  for (const { threads } of chosenTasks(checkpoint, options))
    for (const { tid, controlGroupSet: id } of threads) {
      if (id === undefined) continue;
      const list = tids.get(id);
      if (list === undefined) tids.set(id, [tid]);
      else list.push(tid);
    }
  const members = controlGroupsOf(reader);
  return [...tids].map(([id, tids]) => ({
    ...{ id, outside: false, tids },
    members: (members.get(id) ?? []).map(memberIn),
  }));
}

function memberIn(line: string): CgroupMember {
  const colon = line.indexOf(":");
  return { controllers: line.slice(0, Math.max(0, colon)), path: line.slice(colon + 1) };
}

/** Since criu 3.18 each thread has its own set; before, each task. */
function setOfThread(set: CriuImageSet, tid: number): number | undefined {
  const core = set.first(IMAGES.CORE, tid);
  return core?.thread_core?.cg_set ?? core?.tc?.cg_set;
}

/** Nesting is bounded by the reader of messages. */
function* directoriesOf(
  dir: CgroupDirEntry,
  controllers: string,
  above: string,
  threaded: boolean | undefined,
): Generator<CgroupDirectory> {
  const path = `${above}/${dir.dir_name}`;
  const { mode, uid, gid } = dir.dir_perms ?? {};
  yield {
    ...{ controllers, path, threaded, uid, gid },
    mode: mode === undefined ? undefined : `0${mode.toString(8)}`,
    properties: dir.properties.map(({ name, value }) => ({ name, value })),
  };
  for (const child of dir.children) yield* directoriesOf(child, controllers, path, threaded);
}
