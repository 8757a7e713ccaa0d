import { boolean, integer, option, string } from "@oclif/core/flags";
import { BACKENDS } from "../index.js";
import { EDIT_FLAGS } from "./edit-flags.js";

/** The engine that restores archives. */
export const PODMAN = "podman" as const;

/** Flags of crimg restore. */
export const RESTORE_FLAGS = {
  ...EDIT_FLAGS,
  root: string({
    description: "root directory of the restored mount namespace",
    helpValue: "DIR",
  }),
  rootfs: string({
    description:
      "of an archive: directory with the root file system of the container's image; changes go to memory, and DIR stays as it is",
    helpValue: "DIR",
    exclusive: ["root", "as-owner", "print"],
  }),
  "rootfs-in-place": boolean({
    description: "make the changes of the container in the directory of --rootfs itself",
    dependsOn: ["rootfs"],
  }),
  netns: string({
    description:
      "of an archive: network namespace that the container had from its engine, such as /run/netns/web [default: a new one with a loopback interface alone]",
    helpValue: "PATH",
    dependsOn: ["rootfs"],
  }),
  backend: option({ options: [...BACKENDS, PODMAN] as const })({
    default: "auto",
    description:
      "restore with criu or slim (built in); --dry-run shows why auto chose one; podman gets an archive as it is",
  }),
  name: string({ description: "podman: name of the new container", helpValue: "NAME" }),
  criu: string({
    description: "criu to use [default: $CRIMG_CRIU, then PATH]",
    helpValue: "PATH",
  }),
  "dry-run": boolean({
    description: "only show what would be done",
    exclusive: ["print"],
  }),
  print: boolean({
    description: "only print the criu command line, and to stderr the reasons for its options",
  }),
  detach: boolean({ char: "d", description: "return once the tasks run" }),
  pidfile: string({ description: "write the pid of the root task to this file", helpValue: "FILE" }),
  log: string({
    description: "write the log of criu, or the steps of slim, to this file",
    helpValue: "FILE",
  }),
  timeout: integer({
    min: 1,
    description: "kill criu after N seconds without log output [default: 60, more for large sets]",
    helpValue: "SECONDS",
  }),
  "expiry-from": option({ options: ["end", "start"] as const })({
    default: "end",
    description:
      "slim: start the remaining time of leases and timers at the end of the restore or at its start",
  }),
  pids: option({ options: ["same", "new"] as const })({
    default: "same",
    description:
      "slim: new restores into a new pid namespace, with any pids outside of it; also for ordinary users, if the kernel allows it",
  }),
  pidns: boolean({
    description:
      "slim: restore into a new pid namespace with its own /proc; a crimg process is its init until the root task ends",
  }),
  lossy: boolean({
    description: "restore a converted image even if something was lost (crimg convert lists it)",
  }),
  "allow-rights": string({
    description:
      "as root, grant rights beyond those of the image's owner: all, or names such as uid, caps, device, or one id (uid=0)",
    helpValue: "RIGHT[=ID],…",
    exclusive: ["as-owner"],
  }),
  "as-owner": boolean({
    description:
      "restore as the owner of the image: the tasks get its ids and no capabilities (slim, usually with --pids new)",
  }),
  force: boolean({ description: "restore even if validation found errors" }),
};
