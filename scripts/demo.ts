// npm run demo: the main job on a real checkpoint that comes with the source. A service was checkpointed, its
// directory has moved since: look, check, edit, compare, check again, and (as root, with criu) restart it. Then the same
// with the checkpoint as one linux-cr stream.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { findCriu } from "../src/backends/criu/find.js";
import { shellCommand } from "../src/io/shell.js";
import { liveDemo } from "./demo-live.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SET = "fixtures/criu/logger";
const FILES = "fixtures/files/logger.tar.gz";
/** Where the service ran when it was checkpointed. */
const HOME = "/var/lib/crimg-demo/logger";
const COMMAND_SECONDS = 60;
const RESTART_SECONDS = 20;
const MORE_TICKS = 10;

function tell(text: string): void {
  process.stdout.write(`\n${styleText("dim", `# ${text}`)}\n`);
}

/** Runs crimg as a user would, showing the command line and its output. Ends the demo when it does not end as expected. */
function crimg(args: readonly string[], expected = 0): void {
  process.stdout.write(`${styleText("bold", `$ ${shellCommand(["crimg", ...args])}`)}\n`);
  const { status, error } = spawnSync(process.execPath, [join(ROOT, "bin/run.js"), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: COMMAND_SECONDS * 1000,
  });
  if (status !== expected) throw error ?? new Error(`crimg ended with ${status}, not ${expected}`);
}

/** The criu to restart with, or why there will be no restart. */
function criuOrReason(): { readonly criu: string } | { readonly reason: string } {
  if (process.getuid?.() !== 0) return { reason: "only root can restart a checkpoint" };
  const unpacked = join(ROOT, ".cache/criu/criu");
  const probe = findCriu(process.env.CRIMG_CRIU || !existsSync(unpacked) ? undefined : unpacked);
  if (probe.able && probe.path !== undefined) return { criu: probe.path };
  const why = probe.able ? "no criu was found" : probe.reason;
  return { reason: `${why} (test/support/criu.sh unpacks one that works)` };
}

/** Restarts the set in a pid namespace of its own, where its pid is free, and waits until its log goes on. */
async function restart(images: string, log: string, criu: string): Promise<boolean> {
  const command = ["crimg", "restore", images];
  process.stdout.write(
    `${styleText("bold", `$ unshare --pid --fork --mount-proc ${shellCommand(command)}`)}\n`,
  );
  const before = lines(log);
  const child = spawn(
    "unshare",
    [
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      process.execPath,
      join(ROOT, "bin/run.js"),
      ...command.slice(1),
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, CRIMG_CRIU: criu, TMPDIR: dirname(images) },
    },
  );
  child.on("error", (error) => console.error(`unshare: ${error.message}`));
  try {
    return await grows(log, before.length + MORE_TICKS, child);
  } finally {
    child.kill("SIGKILL"); // with it goes its namespace, and all that was restarted
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
  }
}

async function grows(log: string, length: number, child: ChildProcess): Promise<boolean> {
  for (const end = Date.now() + RESTART_SECONDS * 1000; Date.now() < end; await sleep(50)) {
    if (lines(log).length >= length) return true;
    if (child.exitCode !== null || child.pid === undefined) return false;
  }
  return false;
}

function lines(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

/** Restarts what the service left behind and shows how its log goes on. */
async function tellRestart(images: string, service: string): Promise<void> {
  const found = criuOrReason();
  if ("reason" in found) {
    tell(`not restarted here: ${found.reason}`);
    return;
  }
  tell("the log of the service ends where it was checkpointed; restart it, and see it go on");
  const log = join(service, "log/messages");
  const before = lines(log);
  process.stdout.write(`${before.slice(-2).join("\n")}\n`);
  if (await restart(images, log, found.criu))
    process.stdout.write(
      `${lines(log)
        .slice(before.length, before.length + 3)
        .join("\n")}\n`,
    );
  else tell("this machine could not restart it, for the reason above; the checkpoint itself is right");
}

async function demo(directory: string): Promise<void> {
  const home = join(directory, "files", HOME);
  const service = join(directory, "service");
  const images = join(directory, "images");
  mkdirSync(join(directory, "files"));
  // It stands for the root directory that the task had, whatever the umask is.
  chmodSync(join(directory, "files"), 0o755);
  const unpacked = spawnSync("tar", ["-xzpf", FILES, "-C", join(directory, "files")], { cwd: ROOT });
  if (unpacked.status !== 0) throw new Error(`tar: ${unpacked.stderr}`);

  tell(`a small service was checkpointed in ${HOME}: what is in the images?`);
  crimg(["show", SET]);
  crimg(["show", SET, "fds"]);

  tell("are they whole, and do they fit the files that the service had?");
  crimg(["validate", SET, "--root", join(directory, "files")]);

  tell(`its directory has moved to ${service} since: what does a restart meet now?`);
  renameSync(home, service);
  crimg(["validate", SET, "--root", "/"], 1);

  tell("every path in every image, changed at once, into a new set that shares the memory pages");
  crimg(["edit", SET, "--remap-path", `${HOME}=${service}`, "-o", images]);

  tell("what is different?");
  crimg(["diff", SET, images, "--only", "tasks", "--only", "fds"], 1);

  tell("and now?");
  crimg(["validate", images, "--root", "/"]);

  const twin = join(directory, "twin");
  cpSync(service, twin, { recursive: true, preserveTimestamps: true });
  await tellRestart(images, service);
  await streamDemo(directory, twin);
  await liveDemo(directory, { tell, crimg });
}

/** The same checkpoint as one file. */
async function streamDemo(directory: string, service: string): Promise<void> {
  const stream = join(directory, "logger.ckpt");
  const moved = join(directory, "moved.ckpt");

  tell("the same checkpoint as one file that goes through pipes: a linux-cr stream");
  crimg(["convert", SET, stream]);
  crimg(["show", stream]);

  tell("nothing was lost on the way");
  crimg(["diff", SET, stream]);

  tell(`all that crimg does with a set it does with a stream; the service has a twin in ${service}`);
  crimg(["edit", stream, "--remap-path", `${HOME}=${service}`, "-o", moved]);
  crimg(["validate", moved, "--root", "/"]);
  await tellRestart(moved, service);
}

const directory = mkdtempSync(join(realpathSync(tmpdir()), "crimg-demo-"));
try {
  await demo(directory);
} catch (error) {
  console.error(`the demo failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
