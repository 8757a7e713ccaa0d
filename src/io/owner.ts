import fs from "node:fs";

/** Whether the process that made something still runs, as far as it can be told from here. */
export type OwnerState = "alive" | "dead" | "unknown";

/** `pid-starttime-boot-pidnamespace`, and whatever a name has behind it. */
const TOKEN = /^(?<pid>\d+)-(?<started>\d+)-(?<boot>[0-9a-f]{8})-(?<namespace>\d+)(?:-|$)/;

/** Magic numbers of file systems that one host alone mounts, statfs(2): what another boot wrote there has ended. */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e],
  ...[0x01021994, 0x858458f6, 0x794c7630],
]);

/**
 * A word that names this process beyond its life: pid and start time of proc_pid_stat(5), the first digits of the boot id
 * and the inode of the pid namespace, so that neither a pid used again nor one of another namespace is taken for it.
 */
export function ownerToken(): string {
  return `${process.pid}-${statOf("self").started}-${bootId()}-${pidNamespace()}`;
}

/** State of the process behind a token that stands on the file system of `directory`; "unknown" for what is no token. */
export function ownerState(token: string, directory: string): OwnerState {
  const owner = TOKEN.exec(token)?.groups;
  if (owner === undefined) return "unknown";
  if (owner.boot !== bootId()) return isLocal(directory) ? "dead" : "unknown";
  if (owner.namespace !== pidNamespace() || !seesOwnNamespace()) return "unknown";
  const { state, started } = statOf(owner.pid as string);
  return started === owner.started && !"ZX".includes(state) ? "alive" : "dead";
}

/** The owner for messages: `process 12`, and where it runs when that is not here. */
export function ownerText(token: string): string {
  const owner = TOKEN.exec(token)?.groups;
  if (owner === undefined) return "an unknown process";
  if (owner.boot !== bootId()) return `process ${owner.pid} of another host or boot (${owner.boot}…)`;
  return owner.namespace === pidNamespace()
    ? `process ${owner.pid}`
    : `process ${owner.pid} of another pid namespace (pid:[${owner.namespace}])`;
}

/** Whether a token was made since this host was started. */
export function isOfThisBoot(token: string): boolean {
  return TOKEN.exec(token)?.groups?.boot === bootId();
}

/** Whether a file system is mounted by one host alone, so that locks on it are seen by all who use it. */
export function isLocal(directory: string): boolean {
  try {
    return LOCAL_FILE_SYSTEMS.has(fs.statfsSync(directory).type);
  } catch {
    return false;
  }
}

/** In a new pid namespace without a /proc of its own, pids there are those of others. */
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
