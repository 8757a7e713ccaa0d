import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { openDocument, restoreOptions } from "../../../src/index.js";
import { CAPABILITIES } from "../../../src/linux/capabilities.js";
import { Host } from "../../../src/ops/validate/host/host.js";
import { CRIMG, plainEnvironment } from "../cli.js";
import { until } from "../live.js";
import type { Subject } from "./subjects.js";

/** What was done before a restore. */
export interface Done {
  /** Takes back what is neither in the directory of the program nor in the image, which the trial puts back. */
  readonly undo?: () => unknown;
  /** More than the name of the sabotage says. */
  readonly what?: string;
  /** A program with its arguments that starts crimg with fewer rights. */
  readonly through?: readonly string[];
  /** An option that criu needs and does not get. */
  readonly without?: string;
}

/** Does something to the host or the image, or to the rights of the restorer; undefined where it cannot be done. */
export type Sabotage = (
  subject: Subject,
  random: () => number,
) => Promise<Done | undefined> | Done | undefined;

function pick<T>(of: readonly T[], random: () => number): T | undefined {
  return of[Math.floor(random() * of.length)];
}

/** Files below the program's directory that an image has open or mapped, by a test. */
function opened({ image, work }: Subject, isWanted: (path: string) => boolean): string[] {
  const document = openDocument(image);
  const paths = document.checkpoint.files.all.flatMap(({ path }) =>
    path?.startsWith(`${work}/`) ? [path] : [],
  );
  document.close();
  return [...new Set(paths)].filter(isWanted);
}

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
const isDirectory = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const isSocket = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;

/** Something done to one open file of the program. */
function toFile(change: (path: string, random: () => number) => void, isWanted = isFile): Sabotage {
  return (subject, random) => {
    const path = pick(opened(subject, isWanted), random);
    if (path === undefined) return undefined;
    change(path, random);
    return { what: basename(path) };
  };
}

/** Something done to one file of the set, or to the stream. */
function toImage(change: (path: string, random: () => number) => void): Sabotage {
  return ({ image, backend }, random) => {
    const names = backend === "criu" ? readdirSync(image).filter((name) => name.endsWith(".img")) : [""];
    const name = pick(names, random) ?? "";
    change(join(image, name), random);
    return { what: name };
  };
}

/** An address of the documentation, RFC 5737, that no host has. */
const FOREIGN = "203.0.113.7";

/** Options that change properties of control groups alone, and nothing at all, in criu restore. */
const NOT_MINDED = new Set(["--manage-cgroups", "--link-remap"]);

/** Hard limits below what programs have, prlimit(1); the soft ones with them. */
const LOW_LIMITS = [
  "nofile=64:64",
  "nofile=150:150",
  "nproc=1:1",
  "memlock=0:0",
  "sigpending=0:0",
  "core=0:0",
];

/** What makes the image another one, as if it came from another host; undefined where it has nothing of that. */
function edited(image: string, ...edits: string[]): Done | undefined {
  const { status } = spawnSync(process.execPath, [CRIMG, "edit", image, ...edits, "--in-place"], {
    env: plainEnvironment(),
  });
  return status === 0 ? {} : undefined;
}

const isExe = (path: string): boolean => basename(join(path, "..")) === "bin";

/** Every sabotage by name. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  nothing: () => ({}),
  "a file gone": toFile((path) => rmSync(path)),
  "a file replaced by a copy": toFile((path) => {
    copyFileSync(path, `${path}.new`);
    chmodSync(`${path}.new`, statSync(path).mode);
    renameSync(`${path}.new`, path);
  }),
  "a file grown": toFile((path) => appendFileSync(path, "more\n")),
  "a file cut": toFile((path) => truncateSync(path, Math.floor(statSync(path).size / 2))),
  "a file of another mode": toFile((path) => chmodSync(path, statSync(path).mode ^ 0o044)),
  "a directory in place of a file": toFile((path) => {
    rmSync(path);
    mkdirSync(path);
  }),
  "a program of another build": toFile((path) => {
    rmSync(path);
    copyFileSync("/bin/true", path);
  }, isExe),
  "a directory gone": toFile((path) => rmSync(path, { recursive: true }), isDirectory),
  "the directory gone": ({ work }) => {
    renameSync(work, `${work}.away`);
    return { undo: () => rmSync(`${work}.away`, { recursive: true }) };
  },
  "a directory that nobody can write": ({ work }) => {
    const set = (flag: string): void =>
      void execFileSync("chattr", ["-R", "-f", flag, work], { stdio: "ignore" });
    try {
      set("+i");
    } catch {
      // What is no file or directory has no flags.
    }
    const undo = (): void => {
      try {
        set("-i");
      } catch {
        // As above.
      }
    };
    return { undo };
  },
  "a pid taken": async ({ image }, random) => {
    const document = openDocument(image);
    const pid = pick(
      document.checkpoint.tasks.map((task) => task.pid),
      random,
    );
    document.close();
    if (pid === undefined) return undefined;
    writeFileSync("/proc/sys/kernel/ns_last_pid", String(pid - 1));
    const rival = spawn("/bin/sleep", ["600"], { stdio: "ignore" });
    return { undo: () => ended(rival) };
  },
  "a port taken": async ({ port }) => {
    if (port === undefined) return undefined;
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    return { undo: () => new Promise((done) => server.close(done)) };
  },
  "a file in place of a socket": toFile((path) => {
    rmSync(path);
    writeFileSync(path, "");
  }, isSocket),
  "a file locked by another": async (subject, random) => locked(subject, random, "-x"),
  "a file open elsewhere": async (subject, random) => {
    const path = pick(opened(subject, isFile), random);
    if (path === undefined) return undefined;
    const holder = spawn("/bin/sh", ["-c", 'exec 9>>"$1"; exec sleep 600', "sh", path], { stdio: "ignore" });
    await until("the file to be open", () => opensFile(holder.pid as number, path));
    return { undo: () => ended(holder) };
  },
  "an address gone": ({ image }) => edited(image, "--remap-address", `127.0.0.1=${FOREIGN}`),
  "a control group gone": ({ groups }) => {
    for (const group of groups) rmdirSync(group);
    return groups.length === 0 ? undefined : {};
  },
  "limits too low": (_, random) => {
    const limit = pick(LOW_LIMITS, random) as string;
    return { what: limit, through: ["prlimit", `--${limit}`] };
  },
  "a capability missing": (_, random) => {
    const capability = `cap_${Math.floor(random() * CAPABILITIES.names.size)}`;
    const through = ["setpriv", `--bounding-set=-${capability}`, `--inh-caps=-${capability}`];
    return { what: capability, through };
  },
  "a security module that is not here": ({ image, backend }) => {
    if (backend !== "criu") return undefined;
    const document = openDocument(image);
    const here = new Host(undefined).securityModule();
    const tasks = document.checkpoint.tasks.map(({ pid }) => [
      "--set",
      `core-${pid}.img[0].thread_core.creds.lsm_profile=confined`,
    ]);
    document.close();
    const other = here === "selinux" ? "APPARMOR" : "SELINUX";
    return edited(image, "--set", `inventory.img[0].lsmtype=${other}`, ...tasks.flat());
  },
  "an option of criu missing": ({ image, backend }, random) => {
    if (backend !== "criu") return undefined;
    const document = openDocument(image);
    const without = pick(
      restoreOptions(document).filter(({ option }) => !NOT_MINDED.has(option)),
      random,
    )?.option;
    document.close();
    return without === undefined ? undefined : { what: without, without };
  },
  "an image file gone": toImage((path) => rmSync(path)),
  "an image file cut": toImage((path, random) =>
    truncateSync(path, Math.floor(random() * statSync(path).size)),
  ),
  "a bit of the image flipped": toImage((path, random) => {
    const bytes = readFileSync(path);
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    writeFileSync(path, bytes);
  }),
};

async function locked(subject: Subject, random: () => number, how: string): Promise<Done | undefined> {
  const path = pick(opened(subject, isFile), random);
  if (path === undefined) return undefined;
  const holder = spawn("/usr/bin/flock", [how, "-n", path, "sleep", "600"], {
    stdio: "ignore",
    detached: true,
  });
  await until("the lock", () => opensFile(holder.pid as number, path) || holder.exitCode !== null);
  return { undo: () => ended(holder, true) };
}

function opensFile(pid: number, path: string): boolean {
  const { dev, ino } = statSync(path);
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const there = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
      return there?.ino === ino && there.dev === dev;
    });
  } catch {
    return false;
  }
}

function ended(child: ReturnType<typeof spawn>, isGroup = false): Promise<unknown> {
  const end = new Promise((done) => child.once("exit", done));
  if (child.exitCode !== null) return Promise.resolve();
  process.kill(isGroup ? -(child.pid as number) : (child.pid as number), "SIGKILL");
  return end;
}
