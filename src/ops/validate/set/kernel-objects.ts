import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { SetContext } from "../context.js";
import type { Rule } from "../finding.js";
import { NAMESPACES } from "../namespaces.js";
import { tasksOf } from "../tasks.js";

/** Images of a network namespace that criu stores, unless it is external or dumped as an empty one. */
const NET_CONTENTS = [IMAGES.NETDEV, IMAGES.IFADDR, IMAGES.ROUTE, IMAGES.RULE, IMAGES.IPTABLES];

const PRIVATE = ["vm_id", "fs_id", "sighand_id"] as const;

/** Rules about which kernel objects tasks share, and about namespaces. */
export const kernelObjectRules: readonly Rule<SetContext>[] = [
  {
    id: "OBJECT_SHARED",
    level: "error",
    about:
      "Each task has memory, directories and signal handlers of its own: criu dumps no task that shares them.",
    fix: "crimg edit --set gives the task a number that no other has: its images are its own.",
    *check(context) {
      for (const field of PRIVATE) {
        const owners = new Map<number, number>();
        for (const { pid, ids, dead } of context.share(tasksOf)) {
          if (ids === undefined || dead) continue;
          const owner = owners.get(ids[field]);
          if (owner === undefined) owners.set(ids[field], pid);
          else
            yield {
              at: { image: fileNameOf(IMAGES.IDS, pid), record: 0, field, pid },
              what: `the number is that of task ${owner} too`,
              found: String(ids[field]),
            };
        }
      }
    },
  },
  {
    id: "FD_TABLE_SHARED",
    level: "error",
    about: "Only a task and its parent share a table of descriptors.",
    fix: "crimg edit --set gives the task the number of its own fdinfo image.",
    *check(context) {
      const users = new Map<number, Set<number>>();
      for (const { pid, entry, ids, dead } of context.share(tasksOf)) {
        if (ids === undefined || dead) continue;
        const known = users.get(ids.files_id);
        if (known === undefined) users.set(ids.files_id, new Set([pid]));
        else if (!known.has(entry.ppid))
          yield {
            at: { image: fileNameOf(IMAGES.IDS, pid), record: 0, field: "files_id", pid },
            what: "the table belongs to a task that is not the parent",
            found: String(ids.files_id),
          };
        users.get(ids.files_id)?.add(pid);
      }
    },
  },
  {
    id: "FD_TABLE_OF_CRIU",
    level: "error",
    about: "No task has criu's own table of descriptors.",
    fix: "crimg edit --set gives the task, and its fdinfo image, another number.",
    *check(context) {
      const own = context.set.first(IMAGES.INVENTORY)?.root_ids?.files_id;
      for (const { pid, ids, dead } of context.share(tasksOf))
        if (!dead && own !== undefined && ids?.files_id === own)
          yield {
            at: { image: fileNameOf(IMAGES.IDS, pid), record: 0, field: "files_id", pid },
            what: "the number is that of criu's own table",
            found: String(own),
          };
    },
  },
  {
    id: "NAMESPACE_IMAGE",
    level: "error",
    about:
      "A namespace that is not criu's own has its image; a network namespace that the runtime makes (criu dump --empty-ns net) has none.",
    fix: "Copy the missing file from where the set was made.",
    *check(context) {
      const { set } = context;
      const inventory = set.first(IMAGES.INVENTORY);
      if (inventory === undefined) return;
      const names = new Set(set.files.map(({ name }) => name));
      const rootPid = context.share(tasksOf)[0]?.pid;
      const seen = new Set<string>();
      for (const { pid, ids, dead } of context.share(tasksOf)) {
        if (dead || ids === undefined) continue;
        for (const { name, field, image } of NAMESPACES) {
          const id = ids[field];
          if (image === undefined || id === undefined || id === inventory.root_ids?.[field]) continue;
          const isPerId = inventory.ns_per_id === true || name === "mnt" || name === "net";
          const file = fileNameOf(image, isPerId ? id : rootPid);
          if (names.has(file) || seen.has(file)) continue;
          // criu takes a network namespace without an image for an empty one (net.c, read_net_ns_img).
          if (name === "net" && !NET_CONTENTS.some((kind) => names.has(fileNameOf(kind, id)))) continue;
          seen.add(file);
          yield { at: { image: file, pid }, what: `the ${name} namespace of task ${pid} is not in the set` };
        }
      }
    },
  },
  {
    id: "NAMESPACE_DIFFERS",
    level: "error",
    about: "Only mount and network namespaces differ between tasks of one set.",
    fix: "crimg edit --set gives the task the namespace of the root task.",
    *check(context) {
      const tasks = context.share(tasksOf).filter(({ dead }) => !dead);
      const root = tasks[0]?.ids;
      for (const { pid, ids } of tasks.slice(1))
        for (const { name, field, mayDiffer } of NAMESPACES)
          if (
            !mayDiffer &&
            root?.[field] !== undefined &&
            ids?.[field] !== undefined &&
            ids[field] !== root[field]
          )
            yield {
              at: { image: fileNameOf(IMAGES.IDS, pid), record: 0, field, pid },
              what: `the ${name} namespace is another than the root task's`,
              expected: String(root[field]),
              found: String(ids[field]),
            };
    },
  },
  {
    id: "USERNS_MAP",
    level: "error",
    about: "A user namespace maps ids, and no id twice.",
    fix: "crimg edit --set gives the map ranges that do not overlap.",
    *check({ set }) {
      for (const id of set.ids(IMAGES.USERNS)) {
        const entry = set.first(IMAGES.USERNS, id);
        for (const field of ["uid_map", "gid_map"] as const) {
          const extents = [...(entry?.[field] ?? [])].sort((a, b) => a.first - b.first);
          const at = { image: fileNameOf(IMAGES.USERNS, id), record: 0, field };
          if (entry !== undefined && extents.length === 0) yield { at, what: "the map is empty" };
          const twice = extents.find(({ first }, i) => i > 0 && first < endOf(extents[i - 1]));
          if (twice !== undefined) yield { at, what: "two ranges overlap", found: `from ${twice.first}` };
        }
      }
    },
  },
];

function endOf(extent: { readonly first: number; readonly count: number } | undefined): number {
  return extent === undefined ? 0 : extent.first + extent.count;
}
