import { criuFacts } from "./backends/backend.js";
import { findCriu } from "./backends/criu/find.js";
import { ownVdso } from "./backends/slim/memory/vdso.js";
import { slimFacts } from "./backends/slim/probe.js";
import { type BesideFiles, hostOf } from "./backends/slim/restore/host.js";
import { callerTerminal } from "./backends/slim/terminals/caller.js";
import { FormatError } from "./io/errors.js";
import { type HostFiles, LIVE_HOST } from "./linux/host-files.js";
import { type CriuFacts, Host } from "./ops/validate/host/host.js";
import { NETWORK_TOOLS } from "./ops/validate/host/network.js";

/** Fields of /etc/passwd that are written down: name, password mark, uid. */
const PASSWD_FIELDS = 3;
const PROC = "/proc";
const OF_TASK = /^\/proc\/(\d+)\/(?:stat|task)$/;
/** Fields of /proc/PID/stat that are written down: up to the session. */
const STAT_FIELDS = 6;
/** Bytes of a file of facts: those of a host with 100,000 tasks and as many sockets. */
export const MAX_FACTS_BYTES = 32 * 1024 * 1024;
/** Ids of threads: twice kernel.threads-max of a machine with 16 GiB. */
const MAX_FACTS_THREADS = 256 * 1024;
/** Quotes, commas and brackets: those of a host with 100,000 tasks are 300,000. */
const MAX_FACTS_ITEMS = 512 * 1024;

/** What a restore depends on of a host, as `crimg facts` writes it and `validate` reads it elsewhere. */
export interface HostFacts extends Pick<HostFiles, "platform" | "arch" | "machine"> {
  readonly criu: CriuFacts;
  /** The vDSO that the slim backend compares; its code in base64. */
  readonly vdso: { readonly layout: string; readonly code: string } | undefined;
  /** The terminal that `crimg facts` ran on. */
  readonly terminal: BesideFiles["terminal"];
  readonly addresses: readonly string[];
  /** Paths of programs that are there. */
  readonly programs: readonly string[];
  /** Of each task the begin of /proc/PID/stat, up to the session, and the ids of its threads. */
  readonly tasks: readonly string[];
  /** Files of the kernel by their paths, in latin1. */
  readonly files: Readonly<Record<string, string>>;
  /** Names in directories of the kernel by their paths. */
  readonly directories: Readonly<Record<string, readonly string[]>>;
}

/** The facts of this host. `criu`: path of a criu instead of CRIMG_CRIU and PATH. */
export function hostFacts(criu: string | undefined): HostFacts {
  const files: Record<string, string> = {};
  const directories: Record<string, readonly string[]> = {};
  const programs = new Set<string>();
  readAll({
    ...LIVE_HOST,
    text: (path) => {
      const text = LIVE_HOST.text(path);
      if (text !== undefined) files[path] = shortened(path, text);
      return text;
    },
    names: (directory) => {
      directories[directory] = LIVE_HOST.names(directory);
      return directories[directory];
    },
    exists: (path) => {
      const exists = LIVE_HOST.exists(path) === true;
      if (exists) programs.add(path);
      return exists;
    },
  });
  const vdso = ownVdso();
  return {
    platform: LIVE_HOST.platform,
    arch: LIVE_HOST.arch,
    machine: LIVE_HOST.machine,
    criu: criuFacts(findCriu(criu)),
    vdso: vdso && { layout: vdso.layout, code: vdso.code.toString("base64") },
    terminal: callerTerminal(),
    addresses: LIVE_HOST.addresses(),
    programs: [...programs],
    tasks: liveTasks(),
    files,
    directories,
  };
}

function liveTasks(): string[] {
  return LIVE_HOST.names(PROC)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = LIVE_HOST.text(`/proc/${pid}/stat`);
      return stat === undefined ? [] : `${shortStat(stat)} ${LIVE_HOST.names(`/proc/${pid}/task`).join(" ")}`;
    });
}

/** Reads all that validation and the slim backend may ask of a host. */
function readAll(files: HostFiles): void {
  const host = new Host(undefined, undefined, files);
  const slim = hostOf(files, { vdso: undefined, terminal: undefined });
  const questions: readonly (() => unknown)[] = [
    ...["kernel/pid_max", "kernel/cap_last_cap", "kernel/ns_last_pid", "fs/nr_open"].map(
      (name) => () => host.sysctl(name),
    ),
    ...[...NETWORK_TOOLS.values()].map((name) => () => host.hasProgram(name)),
    () => host.kernel,
    () => host.name,
    () => host.uid,
    () => host.sockets(),
    () => host.interfaces(),
    () => host.cpuFlags(),
    () => host.namespaces(),
    () => host.cgroupControllers(),
    () => host.securityModule(),
    () => host.capabilities(),
    () => host.hardLimits(),
    () => host.availableMemory(),
    () => host.users(),
    () => slimFacts(files),
    () => slim.hasTerminal(0),
  ];
  for (const ask of questions) ask();
}

/** What nobody asks for is left out: other processors, names and homes of users. */
function shortened(path: string, text: string): string {
  if (path === "/proc/cpuinfo") return text.slice(0, text.indexOf("\n\n") + 1 || undefined);
  if (path !== "/etc/passwd") return text;
  return text
    .split("\n")
    .map((line) => line.split(":", PASSWD_FIELDS).join(":"))
    .join("\n");
}

/** A name may hold blanks and parentheses. */
function shortStat(text: string): string {
  const end = text.lastIndexOf(")") + 1;
  return (
    text.slice(0, end) +
    text
      .slice(end)
      .split(" ", STAT_FIELDS - 1)
      .join(" ")
  );
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isFlag: Check = (value) => typeof value === "boolean";
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isList: Check = (value) => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const hasMembers =
  (members: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && badMember(value, members) === undefined;
const isMapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

/** Each member of the facts and the form that it has in JSON. */
const MEMBERS: Readonly<Record<keyof HostFacts, Check>> = {
  platform: isText,
  arch: isText,
  machine: isText,
  criu: hasMembers({ path: isOptional(isText), version: isOptional(isText), problem: isOptional(isText) }),
  vdso: isOptional(hasMembers({ layout: isText, code: isText })),
  terminal: isOptional(hasMembers({ fd: isNumber, name: isText, session: isNumber, canBeTaken: isFlag })),
  addresses: isList,
  programs: isList,
  tasks: isList,
  files: isMapOf(isText),
  directories: isMapOf(isList),
};

function badMember(value: object, members: Readonly<Record<string, Check>>): string | undefined {
  return Object.keys(members).find((name) => members[name]?.(Reflect.get(value, name)) !== true);
}

/** Reads what `crimg facts` wrote. `file` names it in errors: INVALID for anything else. */
export function parseHostFacts(bytes: Buffer, file: string): HostFacts {
  if (itemsOf(bytes) > MAX_FACTS_ITEMS)
    throw new FormatError("TOO_LARGE", `more than ${MAX_FACTS_ITEMS} quotes, commas and brackets`, { file });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new FormatError("INVALID", "not JSON (expected the output of crimg facts)", { file, cause });
  }
  if (!isObject(value) || Reflect.get(value, "command") !== "facts")
    throw new FormatError("INVALID", "not the facts of a host (expected the output of crimg facts)", {
      file,
    });
  const bad = badMember(value, MEMBERS);
  if (bad !== undefined)
    throw new FormatError("INVALID", `invalid or missing ${bad} (expected as crimg facts writes it)`, {
      file,
    });
  const facts = value as HostFacts;
  const most = MAX_FACTS_THREADS + STAT_FIELDS * facts.tasks.length;
  const words = facts.tasks.reduce((sum, task) => sum + task.split(" ", most + 1).length, 0);
  if (words > most) throw new FormatError("TOO_LARGE", `more than ${MAX_FACTS_THREADS} threads`, { file });
  return facts;
}

/** How many quotes, commas and brackets JSON has: each value that takes memory of its own has one. */
function itemsOf(json: Buffer): number {
  let count = 0;
  for (const byte of json) if (byte === 0x22 || byte === 0x2c || byte === 0x5b || byte === 0x7b) count++;
  return count;
}

/** The files of the host that the facts are of. */
export function hostFilesOf({ platform, arch, machine, ...facts }: HostFacts): HostFiles {
  const files = new Map(Object.entries(facts.files));
  const directories = new Map(Object.entries(facts.directories));
  const programs = new Set(facts.programs);
  const pids = facts.tasks.map((task) => task.slice(0, task.indexOf(" ")));
  // The kernel shows a thread by its id too, though it does not list it.
  const tasks = new Map(facts.tasks.flatMap((task) => threadsOf(task).map((tid) => [tid, task])));
  const isAsked = (path: string) =>
    [...NETWORK_TOOLS.values()].some((program) => path.endsWith(`/${program}`));
  const taskAt = (path: string) => tasks.get(OF_TASK.exec(path)?.[1] ?? "");
  return {
    ...{ platform, arch, machine },
    addresses: () => facts.addresses,
    text: (path) => taskAt(path) ?? files.get(path),
    names: (directory) => {
      const task = taskAt(directory);
      if (task !== undefined) return threadsOf(task);
      return directory === PROC ? pids : (directories.get(directory) ?? []);
    },
    exists: (path) => programs.has(path) || (isAsked(path) ? false : undefined),
  };
}

/** The ids behind the fields of a task. */
function threadsOf(task: string): string[] {
  return task
    .slice(task.lastIndexOf(")") + 2)
    .split(" ")
    .slice(STAT_FIELDS - 2);
}

/** The vDSO and the terminal that the facts tell of. */
export function besideFilesOf({ vdso, terminal }: HostFacts): BesideFiles {
  return { vdso: vdso && { layout: vdso.layout, code: Buffer.from(vdso.code, "base64") }, terminal };
}
