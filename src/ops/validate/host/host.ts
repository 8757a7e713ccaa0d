import fs from "node:fs";
import os from "node:os";

/** What was found out about criu on this host; the backend's probe gives it. */
export interface CriuFacts {
  readonly path: string | undefined;
  readonly version: string | undefined;
  /** Why it cannot restore here; undefined when it can. */
  readonly problem: string | undefined;
}

/** What was found out about the slim backend on this host. */
export interface SlimFacts {
  /** Why it cannot restore the image here; undefined when it can. */
  readonly problem: string | undefined;
}

/** A process, as /proc/PID/stat tells it. */
export interface HostProcess {
  readonly comm: string;
  /** One letter, proc(5); Z is a zombie. */
  readonly state: string;
}

/** An inet socket of the host's network namespace. */
export interface HostSocket {
  readonly protocol: "TCP" | "UDP";
  /** Words of the address as images hold them, one or four. */
  readonly address: readonly number[];
  readonly port: number;
  readonly isListening: boolean;
  /** A closed connection that no process has any more: it is there until its last packets are acknowledged or time out. */
  readonly isDying: boolean;
  readonly remotePort: number;
}

const SOCKET_TABLES: readonly (readonly [file: string, protocol: HostSocket["protocol"]])[] = [
  ["tcp", "TCP"],
  ["tcp6", "TCP"],
  ["udp", "UDP"],
  ["udp6", "UDP"],
];
/** TCP_LISTEN in /proc/net/tcp. */
const LISTEN = "0A";
/** TCP_FIN_WAIT1, FIN_WAIT2, TIME_WAIT, LAST_ACK and CLOSING. */
const DYING = new Set(["04", "05", "06", "09", "0B"]);

/** This machine, as far as a restore depends on it. Everything is read when it is asked for. */
export class Host {
  /** What is not asked about the restore is undefined. */
  constructor(
    readonly criu: CriuFacts | undefined,
    readonly slim?: SlimFacts,
  ) {}

  /** `uname -m`. */
  readonly machine = os.machine();
  readonly kernel = os.release();
  readonly name = os.hostname();
  /** Effective user. */
  readonly uid = process.geteuid?.() ?? -1;

  /** The process or thread with this id; undefined when there is none. */
  process(id: number): HostProcess | undefined {
    const file = `/proc/${id}/stat`;
    // Most of 60,000 ids are free, and an exception takes longer than a look.
    const stat = fs.existsSync(file) ? this.#read(file) : undefined;
    const end = stat?.lastIndexOf(")") ?? -1;
    if (stat === undefined || end < 0) return undefined;
    return { comm: stat.slice(stat.indexOf("(") + 1, end), state: stat.slice(end + 2, end + 3) };
  }

  /** A number from a file below /proc/sys; undefined when the kernel does not have it. */
  sysctl(name: string): number | undefined {
    const text = this.#read(`/proc/sys/${name}`);
    return text === undefined ? undefined : Number.parseInt(text, 10);
  }

  /** Sockets that are bound in this network namespace. */
  sockets(): readonly HostSocket[] {
    return SOCKET_TABLES.flatMap(([file, protocol]) =>
      (this.#read(`/proc/net/${file}`) ?? "")
        .split("\n")
        .slice(1)
        .flatMap((line) => socketOf(line, protocol)),
    );
  }

  /** Addresses of the interfaces, in Node's spelling. */
  addresses(): ReadonlySet<string> {
    const interfaces = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
    return new Set(interfaces.map(({ address }) => address));
  }

  interfaces(): ReadonlySet<string> {
    return new Set(names("/sys/class/net"));
  }

  /** Flags of the first CPU, /proc/cpuinfo. */
  cpuFlags(): ReadonlySet<string> {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(this.#read("/proc/cpuinfo") ?? "")?.[1] ?? "";
    return new Set(line.trim().split(/\s+/));
  }

  /** Kinds of namespaces that the kernel has. */
  namespaces(): ReadonlySet<string> {
    return new Set(names("/proc/self/ns"));
  }

  /** Controllers of both versions of cgroups. */
  cgroupControllers(): ReadonlySet<string> {
    const first = (this.#read("/proc/cgroups") ?? "").split("\n").slice(1);
    const second = (this.#read("/sys/fs/cgroup/cgroup.controllers") ?? "").split(/\s+/);
    return new Set([...first.map((line) => line.split("\t", 1)[0] as string), ...second]);
  }

  /** The security module that labels tasks. */
  securityModule(): "selinux" | "apparmor" | undefined {
    if (this.#read("/sys/module/apparmor/parameters/enabled")?.startsWith("Y")) return "apparmor";
    return this.#read("/sys/fs/selinux/enforce") === undefined ? undefined : "selinux";
  }

  /** Effective capabilities of this process, bit by number. */
  capabilities(): bigint {
    const word = /^CapEff:\s*([0-9a-f]+)$/m.exec(this.#read("/proc/self/status") ?? "")?.[1];
    return BigInt(`0x${word ?? "0"}`);
  }

  /** Hard limit of open files of this process. */
  openFiles(): number {
    const word = /^Max open files\s+\S+\s+(\S+)/m.exec(this.#read("/proc/self/limits") ?? "")?.[1];
    return word === undefined || word === "unlimited" ? Number.POSITIVE_INFINITY : Number(word);
  }

  /** Bytes of memory that can be used without swapping. */
  availableMemory(): number {
    const kilobytes = /^MemAvailable:\s*(\d+) kB$/m.exec(this.#read("/proc/meminfo") ?? "")?.[1];
    return kilobytes === undefined ? os.freemem() : Number(kilobytes) * 1024;
  }

  /** Names of users by uid, /etc/passwd. */
  users(): ReadonlySet<number> {
    const lines = (this.#read("/etc/passwd") ?? "").split("\n");
    return new Set(lines.map((line) => Number(line.split(":")[2])));
  }

  /** Whether a program is on the path that criu searches. */
  hasProgram(name: string): boolean {
    return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].some((dir) =>
      fs.existsSync(`${dir}/${name}`),
    );
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  #read(file: string): string | undefined {
    try {
      return fs.readFileSync(file, "latin1");
    } catch {
      return undefined;
    }
  }
}

function names(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

/** A line such as `0: 0100007F:1F90 00000000:0000 0A …`; addresses are words in the host's byte order, as in images. */
function socketOf(line: string, protocol: HostSocket["protocol"]): HostSocket[] {
  const [, local, remote, state = "", , , , , , inode] = line.trim().split(/\s+/);
  const [address, port] = local?.split(":") ?? [];
  if (address === undefined || port === undefined || remote === undefined) return [];
  const words = address.match(/.{8}/g)?.map((word) => Number.parseInt(word, 16)) ?? [];
  const remotePort = Number.parseInt(remote.split(":")[1] ?? "0", 16);
  return [
    {
      ...{ protocol, address: words, port: Number.parseInt(port, 16), remotePort },
      isListening: state === LISTEN,
      isDying: protocol === "TCP" && DYING.has(state) && inode === "0",
    },
  ];
}
