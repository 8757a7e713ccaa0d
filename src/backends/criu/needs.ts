import { existsSync } from "node:fs";
import path from "node:path";
import type { Document } from "../../model/document.js";
import { lazyDaemonCommand } from "../../ops/restore-options/lazy-pages.js";
import { openRestoreOptions, restoreOptions } from "../../ops/restore-options/restore-options.js";
import type { Needs, Wishes } from "../backend.js";
import { stillNeeded, workDirectoryIn } from "./command-line.js";

/** Options that only the user can complete, and that a restore usually does not need. */
const RARELY_NEEDED = ["--libdir", "--lsm-profile"];

/** Where criu lazy-pages listens, criu/uffd.c. */
const LAZY_SOCKET = "lazy-pages.socket";

/** The options of criu for a set: those that crimg derives, and those required of the user. */
export function needsOf(document: Document, { root, extra, expiryFrom, pids, pidns }: Wishes): Needs {
  const hasMounts = document.checkpoint.mounts.length > 0;
  const open = stillNeeded(openRestoreOptions(document), extra).filter(
    ({ option }) => !RARELY_NEEDED.includes(option) && !(option === "--root" && root !== undefined),
  );
  const unanswered = open.map(({ option, value, reason, objects }) => {
    const say = option === "--root" ? "--root DIR" : `-- ${option} ${value}`;
    return `${reason} (${objects.join(", ")}); use ${say}`;
  });
  if (root !== undefined && root !== "/" && !hasMounts)
    unanswered.push(
      `criu cannot use root ${root} for a set without a mount namespace; remap its paths with --remap-path /OLD=${root}/OLD`,
    );
  if (expiryFrom === "start")
    unanswered.push("criu does not support --expiry-from start; omit it, or use --backend slim");
  if (pidns === true || pids === "new")
    unanswered.push(
      "criu cannot create a pid namespace for a set without one; omit --pidns and --pids, use --backend slim, or run crimg in unshare --pid --fork --mount-proc",
    );
  const options = stillNeeded(restoreOptions(document), extra);
  const directory = workDirectoryIn(extra);
  const isLazy = [...options.map(({ option }) => option), ...extra].includes("--lazy-pages");
  if (isLazy && directory !== undefined && !existsSync(path.join(directory, LAZY_SOCKET)))
    unanswered.push(
      `no lazy-pages daemon waits in ${directory} (no ${LAZY_SOCKET}); start it first: ${lazyDaemonCommand(document.name, directory)}`,
    );
  return { options, unanswered };
}
