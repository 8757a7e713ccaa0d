import { spawn } from "node:child_process";

/** Signals forwarded to the crimg that runs as another user. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const KILLED = 2;

/**
 * Runs this command line again as another user, without supplementary groups and capabilities, and returns its exit
 * status. It is a new process because the kernel denies /proc/self/mem to a process that was root.
 */
export function runAs({ uid, gid }: { readonly uid: number; readonly gid: number }): Promise<number> {
  const [node = process.execPath, ...words] = process.argv;
  const child = spawn(node, words, { uid, gid, stdio: "inherit" });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? KILLED));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, pass);
  });
}
