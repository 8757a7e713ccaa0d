import { fileNameOf } from "../../../formats/criu/detect.js";
import type { ImageKind } from "../../../formats/criu/image-kind.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { TaskKobjIdsEntry } from "../../../formats/criu/tables/core.js";
import type { MessageTable, Value } from "../../../schema/message.js";
import type { SetContext } from "../context.js";
import { tasksByPid, tasksByTid, tasksOf } from "../tasks.js";
import { filesByType, type Reference } from "./source.js";

/** What a reference must name. */
export interface Target {
  /** What is expected, for the key. */
  readonly name: (key: bigint) => string;
  /** Prepares the look-up once for a set. */
  readonly index: (context: SetContext) => (reference: Reference) => boolean;
  /** What to do when it is not there, one sentence; by default the field gets another value. */
  readonly fix?: string;
}

/** The fix of a file that is not in the set. */
export const COPY_FILE = "Copy the missing file from where the set was made.";

/** An open file of one of these types with that id. */
export function fileOf(...types: readonly string[]): Target {
  return {
    name: (key) => `an open file of type ${types.join(" or ")} with id ${key}`,
    index: ({ checkpoint }) => {
      return ({ key }) => types.some((type) => checkpoint.files.get(Number(key), type) !== undefined);
    },
  };
}

/** An image file of that kind and id. */
export function imageOf(kind: ImageKind): Target {
  return {
    fix: COPY_FILE,
    name: (key) => fileNameOf(kind, Number(key)),
    index: ({ set }) => {
      const names = new Set(set.files.map(({ name }) => name));
      return ({ key }) => names.has(fileNameOf(kind, Number(key)));
    },
  };
}

/** A record of an image with that value in a field. */
export function recordOf<M extends MessageTable>(
  kind: ImageKind<M>,
  what: string,
  idOf: (value: Value<M>) => number | bigint,
): Target {
  return known(
    (key) => `${what} ${key} in ${kind.file}`,
    function* (context) {
      for (const { name, kind: found } of context.set.files)
        if (found === kind)
          for (const { value } of context.set.recordsNamed(name)) yield idOf(value as Value<M>);
    },
  );
}

/** An open file of that type with that value in a field. */
export function fileFieldOf(type: string, what: string, field: string): Target {
  return known(
    (key) => `${what} ${key} among the ${type} files`,
    function* (context) {
      for (const file of context.share(filesByType).get(type) ?? [])
        yield file.record[field] as number | undefined;
    },
  );
}

/** A task of the tree. */
export const taskPid: Target = {
  name: (key) => `a task with pid ${key} in ${IMAGES.PSTREE.file}`,
  index: (context) => {
    const tasks = context.share(tasksByPid);
    return ({ key }) => tasks.has(Number(key));
  },
};

/** A process, thread or process group of the set. */
export const anyOwner: Target = {
  name: (key) => `a process, thread or process group ${key} of the set`,
  index: (context) => {
    const tasks = context.share(tasksByPid);
    const threads = context.share(tasksByTid);
    const groups = new Set(context.share(tasksOf).map(({ entry }) => entry.pgid));
    return ({ key }) => [tasks, threads, groups].some((ids) => ids.has(Number(key)));
  },
};

/** A mount of any dumped mount namespace. */
export const mount = recordOf(IMAGES.MNTS, "a mount", ({ mnt_id }) => mnt_id);

type NamespaceId = keyof TaskKobjIdsEntry & `${string}_ns_id`;

/** A namespace that a task, or criu itself, is in. */
export function namespaceOf(what: string, fields: readonly NamespaceId[]): Target {
  return known(
    (key) => `${what} namespace ${key}`,
    function* (context) {
      const { set } = context;
      const all = [set.first(IMAGES.INVENTORY)?.root_ids, ...context.share(tasksOf).map(({ ids }) => ids)];
      for (const ids of all) for (const field of fields) yield ids?.[field];
    },
  );
}

/** A target whose keys can be listed. */
export function known(
  name: Target["name"],
  keys: (context: SetContext) => Iterable<number | bigint | undefined>,
): Target {
  return {
    name,
    index: (context) => {
      const all = new Set<bigint>();
      for (const key of keys(context)) if (key !== undefined) all.add(BigInt(key));
      return ({ key }) => all.has(key);
    },
  };
}
