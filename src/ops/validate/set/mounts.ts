import { fileNameOf } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { FSTYPE, type MntEntry } from "../../../formats/criu/tables/mnt.js";
import { enumName } from "../../../io/enums.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";

/** Mounts whose `root` is a whole file system. */
const WHOLE = "/";

/** Devices of which criu stores no contents: of the root, and those with an external mount (mount.c, dump_one_fs). */
function* broughtFromOutside(context: SetContext): Generator<number> {
  for (const { mounts } of namespaces(context)) {
    const ids = new Set(mounts.map(({ value }) => value.mnt_id));
    for (const { value } of mounts)
      if (value.ext_key !== undefined || value.ext_mount === true || !ids.has(value.parent_mnt_id))
        yield value.root_dev;
  }
}

/** Rules about mount namespaces. */
export const mountRules: readonly Rule<SetContext>[] = [
  {
    id: "MOUNT_DUPLICATE",
    level: "error",
    about: "No two mounts have one id.",
    fix: "crimg edit --set gives one of the mounts, and what refers to it, another id.",
    *check(context) {
      const seen = new Set<number>();
      for (const { image, mounts } of namespaces(context))
        for (const { value, index } of mounts) {
          if (seen.has(value.mnt_id))
            yield {
              at: { image, record: index, field: "mnt_id" },
              what: `the id ${value.mnt_id} is used twice`,
            };
          seen.add(value.mnt_id);
        }
    },
  },
  {
    id: "MOUNT_ROOT",
    level: "error",
    about:
      "Exactly one mount of a namespace is its root: its parent is not in the set, and it is mounted at /.",
    fix: "crimg edit --set gives the mount the id of its parent.",
    *check(context) {
      for (const { image, mounts } of namespaces(context)) {
        const ids = new Set(mounts.map(({ value }) => value.mnt_id));
        const roots = mounts.filter(
          ({ value }) => !ids.has(value.parent_mnt_id) || value.parent_mnt_id === value.mnt_id,
        );
        const wrong = roots.find(({ value }) => value.mountpoint !== "/") ?? roots[1];
        if (roots.length !== 1 || wrong !== undefined)
          yield {
            at: { image, record: wrong?.index, path: wrong?.value.mountpoint },
            what: wrong === undefined ? "no root mount" : "the parent of the mount is not in the set",
            expected: "one root, at /",
            found:
              roots
                .map(({ value }) => value.mountpoint)
                .slice(0, 5)
                .join(", ") || "none",
          };
      }
    },
  },
  {
    id: "MOUNT_BENEATH",
    level: "error",
    about: "A mount lies at or beneath the mount point of its parent.",
    fix: "Move the parent's mount point as well; crimg edit --remap-path does so.",
    *check(context) {
      for (const { image, mounts } of namespaces(context)) {
        const byId = new Map(mounts.map(({ value }) => [value.mnt_id, value]));
        for (const { value, index } of mounts) {
          const parent = value.parent_mnt_id === value.mnt_id ? undefined : byId.get(value.parent_mnt_id);
          if (parent !== undefined && !isBeneath(value.mountpoint, parent.mountpoint))
            yield {
              at: { image, record: index, path: value.mountpoint },
              what: "the mount point is not below the parent's",
              expected: `a path below ${parent.mountpoint}`,
              found: value.mountpoint,
            };
        }
      }
    },
  },
  {
    id: "MOUNT_CYCLE",
    level: "error",
    about: "No mount is mounted on itself by way of its parents.",
    fix: "crimg edit --set gives the mount the id of its parent.",
    *check(context) {
      for (const { image, mounts } of namespaces(context)) yield* mountCycles(image, mounts);
    },
  },
  {
    id: "MOUNT_CONTENTS",
    level: "warning",
    about: "The contents of a tmpfs are in the set, unless one of its mounts is external or the root.",
    fix: "Copy the missing file from where the set was made; without it the tmpfs comes back empty.",
    *check(context) {
      const names = new Set(context.set.files.map(({ name }) => name));
      const told = new Set(broughtFromOutside(context));
      for (const { image, mounts } of namespaces(context))
        for (const { value, index } of mounts) {
          const isTmpfs = enumName(FSTYPE, value.fstype) === "TMPFS";
          if (!isTmpfs || value.root !== WHOLE || told.has(value.root_dev)) continue;
          const file = fileNameOf(IMAGES.TMPFS_DEV, value.root_dev);
          if (names.has(file) || names.has(fileNameOf(IMAGES.TMPFS_IMG, value.mnt_id))) continue;
          told.add(value.root_dev);
          yield {
            at: { image, record: index, path: value.mountpoint },
            what: "the contents of the tmpfs are missing",
            expected: file,
            found: "none",
          };
        }
    },
  },
  {
    id: "MOUNT_TYPE",
    level: "error",
    about: "The file system of a mount is one that criu mounts.",
    fix: "Restore with the criu that made the set.",
    *check(context) {
      for (const { image, mounts } of namespaces(context))
        for (const { value, index } of mounts)
          if (!FSTYPE.names.has(value.fstype))
            yield {
              at: { image, record: index, field: "fstype", path: value.mountpoint },
              what: "an unknown file system",
              found: enumName(FSTYPE, value.fstype),
            };
    },
  },
];

interface NamespaceMounts {
  readonly image: string;
  readonly mounts: readonly { readonly value: MntEntry; readonly index: number }[];
}

function* namespaces({ set }: SetContext): Generator<NamespaceMounts> {
  for (const id of set.ids(IMAGES.MNTS))
    yield { image: fileNameOf(IMAGES.MNTS, id), mounts: set.records(IMAGES.MNTS, id) };
}

/** Whether a path equals another or lies below it, by whole components. */
function isBeneath(path: string, above: string): boolean {
  return above === "/" || path === above || path.startsWith(`${above}/`);
}

function* mountCycles(image: string, mounts: NamespaceMounts["mounts"]): Generator<Found> {
  const byId = new Map(mounts.map((record) => [record.value.mnt_id, record]));
  const walkOf = new Map<number, number>();
  for (const start of byId.keys()) {
    let id: number | undefined = start;
    while (id !== undefined && !walkOf.has(id)) {
      walkOf.set(id, start);
      const parent: number | undefined = byId.get(id)?.value.parent_mnt_id;
      id = parent !== undefined && parent !== id && byId.has(parent) ? parent : undefined;
    }
    const record = id !== undefined && walkOf.get(id) === start ? byId.get(id) : undefined;
    if (record !== undefined)
      yield {
        at: { image, record: record.index, path: record.value.mountpoint },
        what: "the mount hangs below itself",
      };
  }
}
