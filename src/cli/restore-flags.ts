import { boolean, integer, option, string } from "@oclif/core/flags";
import { BACKENDS } from "../index.js";
import { EDIT_FLAGS } from "./edit-flags.js";

/** Flags of crimg restore. */
export const RESTORE_FLAGS = {
  ...EDIT_FLAGS,
  root: string({
    description: "root directory for the restored mount namespace; files are looked at below it",
    helpValue: "DIR",
  }),
  backend: option({ options: BACKENDS })({
    default: "auto",
    description: "engine that restores: criu, or slim, crimg's own; auto chooses, and --dry-run says why",
  }),
  criu: string({
    description: "criu to use [default: $CRIMG_CRIU, then PATH]",
    helpValue: "PATH",
  }),
  "dry-run": boolean({
    description: "do everything but start tasks; tell what slim would do",
    exclusive: ["print"],
  }),
  print: boolean({ description: "only print the command line of criu, and on stderr what it is for" }),
  detach: boolean({ char: "d", description: "return as soon as the tasks run" }),
  pidfile: string({ description: "write the pid of the root task into this file", helpValue: "FILE" }),
  log: string({
    description:
      "keep the log of criu in this file, or explain every step of slim in it, as -v does on stderr",
    helpValue: "FILE",
  }),
  timeout: integer({
    min: 1,
    description: "seconds that criu may say nothing before it is killed [default: 60, more for large sets]",
    helpValue: "SECONDS",
  }),
  "expiry-from": option({ options: ["end", "start"] as const })({
    default: "end",
    description:
      "slim: leases and timers have what they had left from the end of the restart, or from its start, so that the restart uses it up",
  }),
  pids: option({ options: ["same", "new"] as const })({
    default: "same",
    description:
      "slim: new lets the tasks have any ids as seen from outside, in a pid namespace of their own; also for ordinary users, where the kernel lets them have one",
  }),
  pidns: boolean({
    description:
      "slim: restore into a new pid namespace, with a /proc of its own, where every id is free; a crimg stays in there as its init until the root task has ended",
  }),
  lossy: boolean({
    description:
      "restore a converted image although the other family cannot hold all of it; crimg convert lists what",
  }),
  "allow-rights": string({
    description:
      "root grants an image of somebody else what it asks beyond its owner: all, or kinds of rights such as uid, caps and device, of ids also one alone (uid=0)",
    helpValue: "RIGHT[=ID],…",
    exclusive: ["as-owner"],
  }),
  "as-owner": boolean({
    description:
      "restore with the rights of the owner of the image: crimg becomes that user for good, and the tasks get its ids and no capabilities (slim, mostly with --pids new)",
  }),
  force: boolean({ description: "restore although the check found errors" }),
};
