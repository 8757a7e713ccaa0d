export type NamespaceKind = "pid" | "net" | "ipc" | "uts" | "mnt" | "user" | "cgroup" | "time";

export interface ShownNamespace {
  readonly kind: NamespaceKind;
  readonly id: number;
  /** False if it was shared with criu; the tasks are then restored in that of the restoring process. */
  readonly dumped: boolean;
  readonly pids: readonly number[];
  /** Key of `criu restore --inherit-fd fd[N]:KEY` for an external namespace. */
  readonly external?: string | undefined;
  readonly hostName?: string | undefined;
  readonly domainName?: string | undefined;
  readonly devices?: readonly NetworkDevice[] | undefined;
  readonly uidMap?: readonly IdRange[] | undefined;
  readonly gidMap?: readonly IdRange[] | undefined;
  readonly mounts?: number | undefined;
  /** Clocks at the checkpoint in nanoseconds. */
  readonly monotonic?: bigint | undefined;
  readonly boottime?: bigint | undefined;
}

export interface NetworkDevice {
  /** A linux-cr stream does not store the index, the name and the MTU of a device. */
  readonly index?: number | undefined;
  readonly name: string;
  readonly type: string;
  readonly mtu?: number | undefined;
  /** Link-layer address. */
  readonly address?: string | undefined;
}

/** `count` ids starting at `inside` map to those starting at `outside` in the parent namespace. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** A link-layer address in the usual notation. */
export function linkAddress(bytes: Buffer): string {
  return bytes.toString("hex").replace(/(..)(?=.)/g, "$1:");
}
