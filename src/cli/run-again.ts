import { type ChildProcess, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";

/** Signals forwarded to the crimg that runs again. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const KILLED = 2;

/**
 * Runs this command line again as another user, without supplementary groups and capabilities, and returns its exit
 * status. It is a new process because the kernel denies /proc/self/mem to a process that was root.
 */
export function runAs({ uid, gid }: { readonly uid: number; readonly gid: number }): Promise<number> {
  const [node = process.execPath, ...words] = process.argv;
  return ended(spawn(node, words, { uid, gid, stdio: "inherit" }));
}

/** In the environment of a command line that was run again: the mount namespace outside. */
const OUTSIDE = "CRIMG_OUTSIDE_MOUNTS";
const OWN_MOUNTS = "/proc/self/ns/mnt";

/** Whether this command line runs in a mount namespace of its own. */
export function isInOwnMounts(): boolean {
  const outside = process.env[OUTSIDE];
  return outside !== undefined && outside !== readlinkSync(OWN_MOUNTS);
}

/** Runs this command line again in a mount namespace of its own, whose mounts nobody else sees, and returns its exit status. */
export function runInOwnMounts(): Promise<number> {
  const [node = process.execPath, ...words] = process.argv;
  const args = ["--mount", "--propagation", "private", "--", node, ...words];
  const env = { ...process.env, [OUTSIDE]: readlinkSync(OWN_MOUNTS) };
  return ended(spawn("unshare", args, { env, stdio: "inherit" }));
}

/** Forwards signals until a process ends, and gives its exit status. */
function ended(child: ChildProcess): Promise<number> {
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? KILLED));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, pass);
  });
}
