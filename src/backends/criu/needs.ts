import type { Document } from "../../model/document.js";
import { openRestoreOptions, restoreOptions } from "../../ops/restore-options/restore-options.js";
import type { Needs, Wishes } from "../backend.js";
import { stillNeeded } from "./command-line.js";

/** Options that only the user can complete, and that a restore usually does not need. */
const RARELY_NEEDED = ["--libdir", "--lsm-profile"];

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
  return { options: stillNeeded(restoreOptions(document), extra), unanswered };
}
