import fs from "node:fs";

/**
 * A word that names this process beyond its life: `pid-starttime-boot`, with the start time of proc_pid_stat(5) and
 * the first digits of the boot id, so that a pid used again is not taken for it.
 */
export function ownerToken(): string {
  return `${process.pid}-${startTime(process.pid)}-${bootId()}`;
}

/** Whether the process that made the token still runs on this machine. */
export function isOwnerAlive(token: string): boolean {
  const [pid, started, boot] = token.split("-");
  if (boot !== bootId()) return false;
  return started !== "" && startTime(Number(pid)) === started;
}

function startTime(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id").slice(0, 8);
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
