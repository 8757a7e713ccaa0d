import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { needs, needsFile } from "./needs.js";

const support = fileURLToPath(new URL("../support/", import.meta.url));
const programs = fileURLToPath(new URL("../programs/", import.meta.url));

/** A process that a test started, or that criu brought back with the same pid: the leader of its session. */
export interface Live {
  pid: number;
}

const started = new Set<Live>();
const directories = new Set<string>();

/** A fresh directory, without symbolic links in its path, that is removed when the process ends. */
export function freshDirectory(name: string): string {
  const dir = mkdtempSync(join(realpathSync(tmpdir()), `crimg-${name}-`));
  directories.add(dir);
  return dir;
}

/** Path of a live program of `test/programs`, built if need be; without a compiler the running test is skipped. */
export function program(name: string): string {
  needs("gcc", "libc6-dev");
  const dir = execFileSync(join(support, "programs.sh"), [name], { encoding: "utf8", timeout: 120_000 });
  return join(dir.trim(), name);
}

const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/" };

/**
 * Starts a command as the leader of a session of its own, as a checkpoint needs it: no terminal, no descriptor
 * of the test's. Standard input is /dev/null; output goes to the file `output`, or nowhere. The environment is
 * PATH and HOME alone unless given. The running test is skipped when the command is a foreign program that is not there.
 */
export async function start(
  argv: string[],
  { cwd, output = "/dev/null", env = ENVIRONMENT }: StartOptions,
): Promise<Live> {
  needsFile(argv[0] ?? "");
  const starter = join(support, "start.sh");
  const child = spawn(starter, [output, ...argv], {
    cwd,
    env,
    stdio: "ignore",
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${argv[0]}`);
  child.unref();
  const live = { pid };
  started.add(live);
  await until(`exec of ${argv[0]}`, () => {
    const cmdline = readProc(`/proc/${pid}/cmdline`);
    return cmdline !== "" && cmdline.split("\0")[1] !== starter;
  });
  return live;
}

export interface StartOptions {
  cwd: string;
  output?: string;
  env?: Record<string, string>;
}

/** A started live program, its log, and the options that criu needs to dump and restore it. */
export interface LiveProgram extends Live {
  log: string;
  options: { dump: string[]; restore: string[] };
}

/** Starts a live program of `test/programs` in the directory `dir` and waits until it is set up. `exe`: its copy to run. */
export async function startProgram(
  name: string,
  dir: string,
  env: Readonly<Record<string, string>> = {},
  exe?: string,
): Promise<LiveProgram> {
  const source = [".c", ".bash", ".py"].map((ext) => join(programs, name + ext)).find(existsSync);
  if (source === undefined) throw new Error(`test/programs has no ${name}`);
  const run = { ".c": [], ".bash": ["/bin/bash"], ".py": ["/usr/bin/python3"] }[extname(source)] ?? [];
  const head = readFileSync(source, "utf8");
  const said = (key: string) => new RegExp(`^ ?[*#] ${key}:(.*)$`, "m").exec(head)?.[1]?.trim() ?? "";
  const words = (key: string) => said(key).split(" ").filter(Boolean);
  const log = join(dir, said("log"));
  const argv = [...run, run.length ? source : (exe ?? program(name)), dir];
  const live = await start(argv, { cwd: "/", env: { ...ENVIRONMENT, ...env } });
  await until(
    `${name} to be ready`,
    () => linesOf(log).includes("ready"),
    () => tail(log),
  );
  return Object.assign(live, { log, options: { dump: words("criu dump"), restore: words("criu restore") } });
}

/** What the log of a live program says: how many ticks (of all its processes together), and what failed. */
export function progress(log: string): { ticks: number; failures: string[] } {
  const ticks = linesOf(log).filter((line) => /(^| )tick \d+ /.test(line));
  return { ticks: ticks.length, failures: ticks.filter((line) => !line.endsWith(" ok")) };
}

/** Waits until the program wrote `more` ticks than its log holds now. */
export async function goesOn(log: string, more = 5): Promise<void> {
  const now = progress(log).ticks;
  await until(
    `${more} more ticks in ${log}`,
    () => progress(log).ticks >= now + more,
    () => tail(log),
  );
}

/** Polls until `holds`; after `seconds` throws an error that names what was waited for, and `state()`. */
export async function until(
  what: string,
  holds: () => boolean,
  state: () => string = () => "",
  seconds = 60,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}. ${state()}`);
    await sleep(10);
  }
}

/** Waits until no process, not even a zombie, has this pid: only then can criu restore to it. */
export async function gone(pid: number): Promise<void> {
  await until(`pid ${pid} to be gone`, () => statOf(pid) === undefined);
}

/** Kills a started or restored process with all its descendants and waits until they are gone. */
export async function kill(live: Live): Promise<void> {
  const pids = killNow(live);
  started.delete(live);
  for (const pid of pids) await gone(pid);
}

/** Kills what is left of all that was started and removes the directories. For `after` hooks. */
export async function cleanUp(): Promise<void> {
  const pids = [...started].flatMap(killNow);
  started.clear();
  for (const pid of pids) await until(`pid ${pid} to end`, () => "Z" === (statOf(pid)?.state ?? "Z"));
}

process.on("exit", () => {
  for (const live of started) killNow(live);
  // Not in `cleanUp`: other suites of this process may have made theirs already.
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
});

function killNow({ pid: leader }: Live): number[] {
  // Not a session leader: a stranger that got the pid later.
  if (statOf(leader)?.sid !== leader) return [];
  const pids = treeOf(leader);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  return pids;
}

/** The pid and those of all its descendants, parents first. */
export function treeOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat) parents.set(Number(name), stat.ppid);
  }
  const tree = parents.has(pid) ? [pid] : [];
  for (const ancestor of tree) {
    for (const [child, parent] of parents) if (parent === ancestor) tree.push(child);
  }
  return tree;
}

/** State letter, parent, group and session of a process (proc(5): stat), or nothing if there is none. */
export function statOf(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, ppid, pgid, sid] = fields;
  if (!state) return undefined;
  return { state, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid) };
}

export interface ProcessStat {
  state: string;
  ppid: number;
  pgid: number;
  sid: number;
}

/**
 * The locks and leases of a process as /proc/locks has them, without what a move or a restore may change (order,
 * device, inode), sorted: `POSIX ADVISORY WRITE 0-99 /path`. Those without a pid of their own (OFD) are told
 * by their file.
 */
export function locksOf(pid: number): string[] {
  const paths = new Map<string, string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const file = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true, throwIfNoEntry: false });
    // A program that runs on may have closed it since it was listed.
    if (file) paths.set(String(file.ino), realpathOf(`/proc/${pid}/fd/${fd}`));
  }
  const locks: string[] = [];
  for (const line of readProc("/proc/locks").split("\n")) {
    const [, kind, mode, type, owner, inode, from, to] = line.split(/\s+/);
    const path = paths.get(inode?.split(":")[2] ?? "");
    if (path === undefined || (Number(owner) !== pid && owner !== "-1")) continue;
    locks.push(`${kind} ${mode} ${type} ${from}-${to} ${path}`);
  }
  return locks.sort();
}

function realpathOf(link: string): string {
  try {
    return realpathSync(link);
  } catch {
    return "(deleted)";
  }
}

function linesOf(path: string): string[] {
  return readProc(path).split("\n").slice(0, -1);
}

function tail(path: string): string {
  return `${path} ends: ${linesOf(path).slice(-3).join(" / ") || "(empty)"}`;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
