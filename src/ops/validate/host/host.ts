import { type HostFiles, LIVE_HOST } from "../../../linux/host-files.js";
import { RLIM_INFINITY } from "../../../linux/rlimits.js";

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

/** Of a line of /proc/PID/limits, fs/proc/base.c; soft and hard limit follow. */
const LIMIT_NAME_COLUMNS = 26;
const UNLIMITED = "unlimited";

/** Where criu looks for programs that it starts. */
const PROGRAM_DIRECTORIES = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The machine that is to restore, as far as a restore depends on it. Everything is read when it is asked for. */
export class Host {
  readonly #files: HostFiles;

  /** What is not asked about the restore is undefined. */
  constructor(
    readonly criu: CriuFacts | undefined,
    readonly slim?: SlimFacts,
    files: HostFiles = LIVE_HOST,
  ) {
    this.#files = files;
  }

  /** `uname -m`. */
  get machine(): string {
    return this.#files.machine;
  }

  get kernel(): string {
    return this.#line("/proc/sys/kernel/osrelease");
  }

  get name(): string {
    return this.#line("/proc/sys/kernel/hostname");
  }

  /** Effective user; -1 where it is not known. */
  get uid(): number {
    return Number(this.#status("Uid").split(/\s+/)[1] || -1);
  }

  /** The process or thread with this id; undefined when there is none. */
  process(id: number): HostProcess | undefined {
    const stat = this.#files.text(`/proc/${id}/stat`);
    const end = stat?.lastIndexOf(")") ?? -1;
    if (stat === undefined || end < 0) return undefined;
    return { comm: stat.slice(stat.indexOf("(") + 1, end), state: stat.slice(end + 2, end + 3) };
  }

  /** A number from a file below /proc/sys; undefined when the kernel does not have it. */
  sysctl(name: string): number | undefined {
    const text = this.#files.text(`/proc/sys/${name}`);
    return text === undefined ? undefined : Number.parseInt(text, 10);
  }

  /** Sockets that are bound in this network namespace. */
  sockets(): readonly HostSocket[] {
    return SOCKET_TABLES.flatMap(([file, protocol]) =>
      (this.#files.text(`/proc/net/${file}`) ?? "")
        .split("\n")
        .slice(1)
        .flatMap((line) => socketOf(line, protocol)),
    );
  }

  /** Addresses of the interfaces, in Node's spelling. */
  addresses(): ReadonlySet<string> {
    return new Set(this.#files.addresses());
  }

  interfaces(): ReadonlySet<string> {
    return new Set(this.#files.names("/sys/class/net"));
  }

  /** Flags of the first CPU, /proc/cpuinfo. */
  cpuFlags(): ReadonlySet<string> {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(this.#files.text("/proc/cpuinfo") ?? "")?.[1] ?? "";
    return new Set(line.trim().split(/\s+/));
  }

  /** Kinds of namespaces that the kernel has. */
  namespaces(): ReadonlySet<string> {
    return new Set(this.#files.names("/proc/self/ns"));
  }

  /** Controllers of both versions of cgroups. */
  cgroupControllers(): ReadonlySet<string> {
    const first = (this.#files.text("/proc/cgroups") ?? "").split("\n").slice(1);
    const second = (this.#files.text("/sys/fs/cgroup/cgroup.controllers") ?? "").split(/\s+/);
    return new Set([...first.map((line) => line.split("\t", 1)[0] as string), ...second]);
  }

  /** The security module that labels tasks. */
  securityModule(): "selinux" | "apparmor" | undefined {
    if (this.#files.text("/sys/module/apparmor/parameters/enabled")?.startsWith("Y")) return "apparmor";
    return this.#files.text("/sys/fs/selinux/enforce") === undefined ? undefined : "selinux";
  }

  /** Effective capabilities of this process, bit by number. */
  capabilities(): bigint {
    return BigInt(`0x${this.#status("CapEff") || "0"}`);
  }

  /** Group of this process, and its other groups. */
  get gid(): number {
    return Number(this.#status("Gid").split(/\s+/)[1] || -1);
  }

  groups(): readonly number[] {
    return this.#status("Groups").split(/\s+/).filter(Boolean).map(Number);
  }

  /** Hard limits of this process by the numbers of resources, whose order the lines of /proc/PID/limits have. */
  hardLimits(): readonly bigint[] {
    const [, ...lines] = (this.#files.text("/proc/self/limits") ?? "").trim().split("\n");
    return lines.map((line) => {
      const [, hard = UNLIMITED] = line.slice(LIMIT_NAME_COLUMNS).trim().split(/\s+/);
      return hard === UNLIMITED ? RLIM_INFINITY : BigInt(hard);
    });
  }

  /** Bytes of memory that can be used without swapping; kernels before 3.14 do not tell. */
  availableMemory(): number {
    const kilobytes = /^MemAvailable:\s*(\d+) kB$/m.exec(this.#files.text("/proc/meminfo") ?? "")?.[1];
    return kilobytes === undefined ? Number.POSITIVE_INFINITY : Number(kilobytes) * 1024;
  }

  /** Users by uid, /etc/passwd. */
  users(): ReadonlySet<number> {
    const lines = (this.#files.text("/etc/passwd") ?? "").split("\n");
    return new Set(lines.map((line) => Number(line.split(":")[2])));
  }

  /** Whether a program is on the path that criu searches. */
  hasProgram(name: string): boolean {
    return PROGRAM_DIRECTORIES.some((directory) => this.#files.exists(`${directory}/${name}`) === true);
  }

  /** Whether a file or directory exists; undefined when that is not known. */
  exists(path: string): boolean | undefined {
    return this.#files.exists(path);
  }

  /** A line of /proc/self/status without its name; empty where there is none. */
  #status(name: string): string {
    const text = this.#files.text("/proc/self/status") ?? "";
    return new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  }

  #line(path: string): string {
    return this.#files.text(path)?.trimEnd() ?? "";
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
