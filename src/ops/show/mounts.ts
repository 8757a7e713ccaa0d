import { flagNames } from "../../io/enums.js";
import { MOUNT_FLAGS } from "../../linux/files.js";
import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { taskIds } from "./task-ids.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface MountsView extends ViewHead<"mounts"> {
  readonly mounts: readonly ShownMount[];
  /** Why it is empty. */
  readonly note?: string | undefined;
}

export interface ShownMount {
  readonly namespace: number;
  readonly id: number;
  readonly parent: number;
  readonly mountpoint: string;
  /** Mounted directory of the file system, `/` for all of it. */
  readonly root: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Mount flags, as named in mount(8). */
  readonly flags: readonly string[];
  /** File system options, as text. */
  readonly options: string;
  /** Key of `criu restore --external mnt[KEY]:PATH`. */
  readonly external?: string | undefined;
  /** Peer groups; 0 for none. */
  readonly shared: number;
  readonly master: number;
}

const NOT_IN_STREAMS = "a linux-cr stream does not store mounts";

/** The mounts of the dumped mount namespaces, parents before children. */
export function mountsView(document: Document, options: ShowOptions = {}): MountsView {
  const { checkpoint } = document;
  const chosen = chosenTasks(checkpoint, options);
  if (document.family === "linux-cr") return { ...viewHead("mounts"), mounts: [], note: NOT_IN_STREAMS };
  const namespaces = new Set(chosen.map(({ pid }) => taskIds(document.set, pid)?.mnt_ns_id));
  const mounts = checkpoint.mounts
    .filter((mount) => options.pids === undefined || namespaces.has(mount.namespace))
    .map((mount): ShownMount => {
      const { id, mountpoint, root, fileSystem, source, options } = mount;
      return {
        ...{ namespace: mount.namespace, id, parent: mount.parentId, mountpoint, root, fileSystem, source },
        flags: flagNames(MOUNT_FLAGS, mount.flags),
        ...{ options, external: mount.externalKey, shared: mount.sharedId, master: mount.masterId },
      };
    });
  const note = mounts.length > 0 ? undefined : "mount namespace shared with criu";
  return { ...viewHead("mounts"), mounts: sortedByPath(mounts), note };
}

function sortedByPath(mounts: readonly ShownMount[]): ShownMount[] {
  const order = (a: ShownMount, b: ShownMount): number =>
    a.namespace - b.namespace || (a.mountpoint < b.mountpoint ? -1 : a.mountpoint > b.mountpoint ? 1 : 0);
  return [...mounts].sort(order);
}
