import type { Document } from "../../model/document.js";
import { openRestoreOptions, restoreOptions } from "../../ops/restore-options/restore-options.js";
import type { Needs, Wishes } from "../backend.js";
import { stillNeeded } from "./command-line.js";

/** Options that only a person can complete and that a restore can mostly do without. */
const RARELY_NEEDED = ["--libdir", "--lsm-profile"];

/** What criu must be told of a set: by crimg, and by the person who restores. */
export function needsOf(document: Document, { root, extra, expiryFrom, pids, pidns }: Wishes): Needs {
  const hasMounts = document.checkpoint.mounts.length > 0;
  const open = stillNeeded(openRestoreOptions(document), extra).filter(
    ({ option }) => !RARELY_NEEDED.includes(option) && !(option === "--root" && root !== undefined),
  );
  const unanswered = open.map(({ option, value, reason, objects }) => {
    const say = option === "--root" ? "--root DIR" : `-- ${option} ${value}`;
    return `${reason} (${objects.join(", ")}): give ${say} to say which`;
  });
  if (root !== undefined && root !== "/" && !hasMounts)
    unanswered.push(
      `the set has no mount namespace, so criu opens its paths from / and cannot be given the root ${root}: remap the paths with --remap-path /OLD=${root}/OLD`,
    );
  if (expiryFrom === "start")
    unanswered.push(
      "criu cannot count times from the start of the restart: leave --expiry-from out, or take slim",
    );
  if (pidns === true || pids === "new")
    unanswered.push(
      "criu makes no pid namespace for a set without one: leave --pidns and --pids out, take slim, or run crimg in unshare --pid --fork --mount-proc",
    );
  return { options: stillNeeded(restoreOptions(document), extra), unanswered };
}
