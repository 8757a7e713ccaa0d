import fs from "node:fs";

/** Whether the process that made something still runs, as far as known. */
export type OwnerState = "alive" | "dead" | "unknown";

/** `pid-starttime-boot-pidnamespace`, and any suffix. */
const TOKEN = /^(?<pid>\d+)-(?<started>\d+)-(?<boot>[0-9a-f]{8})-(?<namespace>\d+)(?:-|$)/;

/** Magic numbers of file systems that only one host mounts, statfs(2): processes of another boot that wrote there have ended. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e],
  ...[0x01021994, 0x858458f6, 0x794c7630],
]);

/**
 * A unique name of this process: pid and start time of proc_pid_stat(5), the first digits of the boot id and the inode of
 * the pid namespace, so that neither a reused pid nor one of another namespace is mistaken for it.
 */
export function ownerToken(): string {
  return `${process.pid}-${statOf("self").started}-${bootId()}-${pidNamespace()}`;
}

/** State of the process of a token found on the file system of `directory`; "unknown" for an invalid token. */
export function ownerState(token: string, directory: string): OwnerState {
  const owner = TOKEN.exec(token)?.groups;
  if (owner === undefined) return "unknown";
  if (owner.boot !== bootId()) return isLocal(directory) ? "dead" : "unknown";
  if (owner.namespace !== pidNamespace() || !seesOwnNamespace()) return "unknown";
  const { state, started } = statOf(owner.pid as string);
  return started === owner.started && !"ZX".includes(state) ? "alive" : "dead";
}

/** The owner for messages: `process 12`, and its host or namespace if different. */
export function ownerText(token: string): string {
  const owner = TOKEN.exec(token)?.groups;
  if (owner === undefined) return "an unknown process";
  if (owner.boot !== bootId()) return `process ${owner.pid} of another host or boot (${owner.boot}…)`;
  return owner.namespace === pidNamespace()
    ? `process ${owner.pid}`
    : `process ${owner.pid} of another pid namespace (pid:[${owner.namespace}])`;
}

/** Whether a token was made since this host booted. */
export function isOfThisBoot(token: string): boolean {
  return TOKEN.exec(token)?.groups?.boot === bootId();
}

/** Whether only one host mounts a file system, so that all its users see locks on it. */
export function isLocal(directory: string): boolean {
  try {
    return LOCAL_FILE_SYSTEMS.has(fs.statfsSync(directory).type);
  } catch {
    return false;
  }
}

/** In a new pid namespace without its own /proc, the pids there are those of another namespace. */
function seesOwnNamespace(): boolean {
  return readLink("/proc/self") === String(process.pid);
}

function statOf(pid: string): { readonly state: string; readonly started: string } {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", started: fields[19] ?? "0" };
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id").slice(0, 8).padEnd(8, "0");
}

function pidNamespace(): string {
  return /\d+/.exec(readLink("/proc/self/ns/pid"))?.[0] ?? "0";
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function readLink(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return "";
  }
}
