import type { Document } from "../../model/document.js";
import { cgroupsView } from "./cgroups.js";
import { containerView } from "./container.js";
import { credsView } from "./creds.js";
import { envView } from "./env.js";
import { fdsView } from "./fds.js";
import { filesView } from "./files.js";
import { ghostsView } from "./ghosts.js";
import { ipcView } from "./ipc.js";
import { locksView } from "./locks.js";
import { mapsView } from "./maps.js";
import { mountsView } from "./mounts.js";
import { nsView } from "./ns.js";
import { pipesView } from "./pipes.js";
import { podView } from "./pod.js";
import { rlimitsView } from "./rlimits.js";
import { rootfsView } from "./rootfs.js";
import { rssView } from "./rss.js";
import { signalsView } from "./signals.js";
import { socketsView } from "./sockets.js";
import { timersView } from "./timers.js";
import { treeView } from "./tree.js";
import type { ShowOptions } from "./view.js";
import { volumesView } from "./volumes.js";

/** Options of the views. */
export interface ViewOptions extends ShowOptions {
  /** Tree: the names of threads. */
  readonly threads?: boolean | undefined;
  /** Rss: every run of pages. */
  readonly runs?: boolean | undefined;
}

/** All views of `crimg show` by name, except the summary and single records. */
export const VIEWS = {
  tree: treeView,
  fds: fdsView,
  files: filesView,
  maps: mapsView,
  rss: rssView,
  locks: locksView,
  sockets: socketsView,
  pipes: pipesView,
  mounts: mountsView,
  ns: nsView,
  creds: credsView,
  signals: signalsView,
  timers: timersView,
  rlimits: rlimitsView,
  cgroups: cgroupsView,
  ghosts: ghostsView,
  ipc: ipcView,
  env: envView,
  container: containerView,
  rootfs: rootfsView,
  volumes: volumesView,
  pod: podView,
} as const satisfies Readonly<Record<string, (document: Document, options?: ViewOptions) => object>>;

/** Those of a container around the tasks, of images in archives of container engines. */
export const CONTAINER_VIEWS = [
  "container",
  "rootfs",
  "volumes",
  "pod",
] as const satisfies readonly ViewName[];

export type ViewName = keyof typeof VIEWS;

/** The data of a view, by name. */
export type ViewData<Name extends ViewName = ViewName> = ReturnType<(typeof VIEWS)[Name]>;
