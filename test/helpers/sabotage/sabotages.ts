import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { openDocument } from "../../../src/index.js";
import { until } from "../live.js";
import type { Subject } from "./subjects.js";

/** What is done to the host or the image before a restore; gives what takes it back, or undefined where it cannot be done. */
export type Sabotage = (
  subject: Subject,
  random: () => number,
) => Promise<(() => unknown) | undefined> | Undo;
type Undo = (() => unknown) | undefined;

/** The trial puts directory and image back. */
const nothingElse = (): void => {};

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
    return nothingElse;
  };
}

/** Something done to one file of the set, or to the stream. */
function toImage(change: (path: string, random: () => number) => void): Sabotage {
  return ({ image, backend }, random) => {
    const names = backend === "slim" ? [""] : readdirSync(image).filter((name) => name.endsWith(".img"));
    const name = pick(names, random) ?? "";
    change(join(image, name), random);
    return Object.assign(() => {}, { what: name });
  };
}

const isExe = (path: string): boolean => basename(join(path, "..")) === "bin";

/** Every sabotage by name. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  nothing: () => nothingElse,
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
    return () => rmSync(`${work}.away`, { recursive: true });
  },
  "a directory that nobody can write": ({ work }) => {
    const set = (flag: string): void =>
      void execFileSync("chattr", ["-R", "-f", flag, work], { stdio: "ignore" });
    try {
      set("+i");
    } catch {
      // What is no file or directory has no flags.
    }
    return () => {
      try {
        set("-i");
      } catch {
        // As above.
      }
    };
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
    return () => ended(rival);
  },
  "a port taken": async ({ port }) => {
    if (port === undefined) return undefined;
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    return () => new Promise((done) => server.close(done));
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
    return () => ended(holder);
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

async function locked(subject: Subject, random: () => number, how: string): Promise<Undo> {
  const path = pick(opened(subject, isFile), random);
  if (path === undefined) return undefined;
  const holder = spawn("/usr/bin/flock", [how, "-n", path, "sleep", "600"], {
    stdio: "ignore",
    detached: true,
  });
  await until("the lock", () => opensFile(holder.pid as number, path) || holder.exitCode !== null);
  return () => ended(holder, true);
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
