import type { ViewData, ViewName } from "../../index.js";
import type { Line } from "../line.js";
import { cgroupsLines } from "./cgroups.js";
import { containerLines } from "./container.js";
import { credsLines } from "./creds.js";
import { envLines } from "./env.js";
import { fdsLines } from "./fds.js";
import { filesLines } from "./files.js";
import { ghostsLines } from "./ghosts.js";
import { ipcLines } from "./ipc.js";
import { locksLines } from "./locks.js";
import { mapsLines } from "./maps.js";
import { mountsLines } from "./mounts.js";
import { nsLines } from "./ns.js";
import { pipesLines } from "./pipes.js";
import { podLines } from "./pod.js";
import { rlimitsLines } from "./rlimits.js";
import { rootfsLines } from "./rootfs.js";
import { rssLines } from "./rss.js";
import { signalsLines } from "./signals.js";
import { socketsLines } from "./sockets.js";
import { timersLines } from "./timers.js";
import { treeViewLines } from "./tree.js";
import { volumesLines } from "./volumes.js";
import type { Look } from "./words.js";

type LinesOf = { readonly [Name in ViewName]: (view: ViewData<Name>, look: Look) => Iterable<Line> };

const LINES: LinesOf = {
  tree: treeViewLines,
  fds: fdsLines,
  files: filesLines,
  maps: mapsLines,
  rss: rssLines,
  locks: locksLines,
  sockets: socketsLines,
  pipes: pipesLines,
  mounts: mountsLines,
  ns: nsLines,
  creds: credsLines,
  signals: signalsLines,
  timers: timersLines,
  rlimits: rlimitsLines,
  cgroups: cgroupsLines,
  ghosts: ghostsLines,
  ipc: ipcLines,
  env: envLines,
  container: containerLines,
  rootfs: rootfsLines,
  volumes: volumesLines,
  pod: podLines,
};

/** A view as lines of text that fit the terminal. */
export function viewLines<Name extends ViewName>(
  name: Name,
  view: ViewData<Name>,
  look: Look,
): Iterable<Line> {
  return LINES[name](view, look);
}
