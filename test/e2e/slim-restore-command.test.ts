/** crimg restore with the slim backend: edits, pipes, CRIU sets, the choice of a backend, waiting, the log. */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { dump, needCriu } from "../helpers/criu.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  gone,
  kill,
  type Live,
  locksOf,
  progress,
  start,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { checkpointed, needsSlim } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const test = suite("crimg restore --backend slim", {}, 90);
const dir = freshDirectory("slim-command");
/** There is no criu to fall back on. */
const env = { CRIMG_CRIU: "/nowhere/criu", PATH: "/usr/bin:/bin" };
const SIGHUP = 1;
/** Ends with status 7 at a SIGTERM. */
const TERMINATES = `
import signal, sys, time
def end(*_): sys.exit(7)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(0.05)
`;

test.before(needsSlim);
test.after(cleanUp);

function fresh(name: string): string {
  const work = join(dir, name);
  mkdirSync(work);
  return work;
}

/** A started logger and its image. */
async function loggerImage(
  name: string,
): Promise<{ live: Live & { log: string }; work: string; image: string }> {
  const work = fresh(name);
  const live = await startProgram("logger", work);
  await goesOn(live.log, 2);
  const image = join(dir, `${name}.ckpt`);
  await checkpointed(live, image);
  return { live, work, image };
}

async function terminating(name: string): Promise<{ live: Live; image: string }> {
  const work = fresh(name);
  const output = join(work, "out");
  const live = await start(["/usr/bin/python3", "-c", TERMINATES], { cwd: work, output });
  await until("the handler", () => existsSync(output) && readFileSync(output, "utf8") === "ready\n");
  const image = join(dir, `${name}.ckpt`);
  await checkpointed(live, image);
  return { live, image };
}

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

test("a pipe from checkpoint to restore", async () => {
  const live = await startProgram("logger", fresh("pipe"));
  await goesOn(live.log, 2);
  const before = progress(live.log).ticks;
  const command = `"$0" "$1" checkpoint ${live.pid} -o - | "$0" "$1" restore - --backend slim --detach`;
  const shell = spawn("/bin/bash", ["-o", "pipefail", "-c", command, process.execPath, CRIMG], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.is(await textOf(shell), `restored: root task ${live.pid}\n`);
  assert.is(shell.exitCode, 0);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
  assert.ok(progress(live.log).ticks > before);
});

test("edits go into a copy: the files have moved, the image stays as it is", async () => {
  const { live, work, image } = await loggerImage("moved");
  const moved = join(dir, "moved-here");
  renameSync(work, moved);
  const before = hashOf(image);
  const beside = readdirSync(dir).length;
  const refused = await crimg(["restore", image, "--detach"], { env });
  assert.is(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /FILE_MISSING/);
  const log = live.log.replace(work, moved);
  const { code, stdout, stderr } = await crimg(
    ["restore", image, "--remap-path", `${work}=${moved}`, "--detach"],
    { env },
  );
  assert.is(code, 0, stdout + stderr);
  await goesOn(log, 5);
  assert.equal(progress(log).failures, []);
  assert.is(hashOf(image), before);
  assert.is(readdirSync(dir).length, beside, "nothing is left beside the image");
});

test("with --redact the program goes on without the secret, and the image keeps it", async () => {
  const { live, image } = await loggerImage("redacted");
  const before = hashOf(image);
  const secret = "/usr/sbin:/usr/bin:/sbin:/bin";
  const { code, stdout, stderr } = await crimg(["restore", image, "--redact", secret, "--detach"], { env });
  assert.is(code, 0, stdout + stderr);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
  assert.match(readFileSync(`/proc/${live.pid}/environ`, "latin1"), /PATH=\*{29}\0/);
  assert.is(hashOf(image), before);
});

test("an edit that matches nothing is refused as with criu", async () => {
  const { image } = await loggerImage("unmatched");
  const { code, stderr } = await crimg(["restore", image, "--remap-path", "/nobody=/knows", "--detach"], {
    env,
  });
  assert.is(code, 1);
  assert.match(stderr, /^nothing matched: --remap-path .*\nnothing was started\n$/m);
});

for (const name of ["logger", "counter", "threads", "tree", "locks"])
  test(`a set that criu made of ${name} is restored without criu`, async () => {
    needCriu();
    const work = fresh(`set-${name}`);
    const live = await startProgram(name, work);
    await goesOn(live.log, 2);
    const locks = locksOf(live.pid);
    const set = join(dir, `${name}.images`);
    mkdirSync(set);
    await dump(live.pid, set, live.options.dump);
    const { ticks } = progress(live.log);
    const restored = await crimg(["restore", set, "--detach"], { env });
    assert.is(restored.code, 0, restored.stdout + restored.stderr);
    assert.is(restored.stderr, "", "what criu does wrong is no matter here");
    await goesOn(live.log, 6);
    const now = progress(live.log);
    assert.ok(now.ticks > ticks);
    assert.equal(now.failures, []);
    assert.equal(locksOf(live.pid), locks);
    await kill(live);
  });

test("auto: a stream of crimg checkpoint is for slim, also where there is a criu; the plan is told", async () => {
  const { live, image } = await loggerImage("auto");
  await gone(live.pid);
  const { code, json } = await crimgJson(["restore", image, "--dry-run"]);
  const { backend, steps, criu, restart } = json as {
    backend: { name: string; because: string };
    steps: { phase: string; task?: number; what: string }[];
    criu?: unknown;
    restart?: unknown;
  };
  assert.is(code, 0);
  assert.is(backend.name, "slim");
  assert.is(backend.because, "the stream was written by crimg checkpoint");
  assert.is(criu, undefined);
  assert.is(restart, undefined);
  assert.ok(steps.some(({ task }) => task === live.pid));
  const phases = [...new Set(steps.map(({ phase }) => phase))];
  assert.is(phases.at(-1), "resume");
  assert.is(statOf(live.pid), undefined, "nothing was started");
  const text = await crimg(["restore", image, "--dry-run"]);
  assert.match(text.stdout, /^backend slim \(the stream was written by crimg checkpoint\)\n/);
  assert.ok(text.stdout.endsWith("dry run; nothing was started\n"));
});

test("auto: criu restores a set where it works", async () => {
  const criu = needCriu();
  const { json } = await crimgJson(["restore", "fixtures/criu/logger", "--dry-run"], {
    env: { CRIMG_CRIU: criu },
  });
  const { backend } = json as { backend: { name: string; because: string } };
  assert.equal([backend.name, backend.because], ["criu", "a CRIU set"]);
});

test("auto: without a criu the other engine takes over, and says why", async () => {
  const { json } = await crimgJson(["restore", "fixtures/criu/logger", "--dry-run"], { env });
  const { backend, losses } = json as { backend: { name: string; because: string }; losses: unknown };
  assert.is(backend.name, "slim");
  assert.match(backend.because, /^criu does not work here: \/nowhere\/criu is not an executable program/);
  assert.equal(losses, []);
});

test("waits for the root task, passes SIGTERM on and tells how it ended", async () => {
  const { live, image } = await terminating("waits");
  const child = spawn(process.execPath, [CRIMG, "restore", image, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = textOf(child);
  await until("the task", () => statOf(live.pid)?.ppid === child.pid && statOf(live.pid)?.state === "S");
  // Node itself has a handler for SIGTERM; the one for SIGHUP is installed with that which passes signals on.
  await until("the handover of signals", () => handles(child.pid as number, SIGHUP));
  child.kill("SIGTERM");
  const answer = JSON.parse(await text) as { restart: unknown };
  assert.equal(answer.restart, { restored: true, pid: live.pid, ended: { status: 7 } });
  assert.is(child.exitCode, 0);
  assert.is(statOf(live.pid), undefined, "crimg has taken note of its end");
});

test("where the id is taken it is refused, and restored in a pid namespace of its own", async () => {
  const work = fresh("taken");
  const output = join(work, "out");
  const live = await start(["/usr/bin/python3", "-c", TERMINATES, work], { cwd: work, output });
  await until("the handler", () => readFileSync(output, "utf8") === "ready\n");
  const image = join(dir, "taken.ckpt");
  const written = await crimg(["checkpoint", String(live.pid), "-R", "-o", image]);
  assert.is(written.code, 0, written.stderr);
  const refused = await crimg(["restore", image], { env });
  assert.is(refused.code, 1);
  assert.match(refused.stderr, new RegExp(`the id ${live.pid} is taken`));
  needs("unshare");
  const words = ["--pid", "--fork", "--mount-proc", process.execPath, CRIMG, "restore", image];
  const child = spawn("unshare", words, { stdio: ["ignore", "pipe", "inherit"] });
  const text = textOf(child);
  const twin = (): number | undefined => withWord(work).find((pid) => pid !== live.pid);
  await until("the task in the namespace", () => statOf(twin() ?? 0)?.state === "S");
  process.kill(twin() as number, "SIGTERM");
  assert.is(await text, `task ${live.pid} ended with status 7\n`);
  assert.match(statOf(live.pid)?.state ?? "", /[RS]/, "the first one runs on");
});

test("tells by which signal the root task was killed", async () => {
  const { live, image } = await terminating("killed");
  const child = spawn(process.execPath, [CRIMG, "restore", image], { stdio: ["ignore", "pipe", "inherit"] });
  const text = textOf(child);
  await until("the task", () => statOf(live.pid)?.ppid === child.pid && statOf(live.pid)?.state === "S");
  process.kill(live.pid, "SIGKILL");
  assert.is(await text, `task ${live.pid} was killed by SIGKILL\n`);
  assert.is(child.exitCode, 0);
});

test("--detach leaves the tree to others; --pidfile and --log are written, -v tells the steps", async () => {
  const { live, image } = await loggerImage("logged");
  const [pidFile, log] = [join(dir, "logger.pid"), join(dir, "logger.log")];
  const { code, stderr } = await crimg(
    ["restore", image, "--detach", "--pidfile", pidFile, "--log", log, "-v"],
    { env },
  );
  assert.is(code, 0, stderr);
  await goesOn(live.log, 3);
  assert.is(readFileSync(pidFile, "utf8"), `${live.pid}\n`);
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  assert.ok(lines.every((line) => /^ *\d+\.\d{6} {2}\S/.test(line)));
  assert.ok(lines.some((line) => line.includes(`task ${live.pid}: `)));
  assert.match(lines.at(-1) ?? "", /restored: root task \d+$/);
  for (const line of lines) assert.ok(stderr.includes(line));
});

test("--expiry-from start: the restart uses up what timers had left", async () => {
  const live = await startProgram("threads", fresh("expiry"));
  await goesOn(live.log, 2);
  const image = join(dir, "expiry.ckpt");
  await checkpointed(live, image);
  const before = Math.max(...(await timerSeconds(image)));
  const log = join(dir, "expiry.log");
  const { code, stderr } = await crimg(
    ["restore", image, "--detach", "--log", log, "--expiry-from", "start"],
    { env },
  );
  assert.is(code, 0, stderr);
  const left = Math.max(...secondsLeft(live.pid));
  const times = readFileSync(log, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => Number.parseFloat(line));
  const took = (times.at(-1) ?? 0) - (times.find((time) => time > 0) ?? 0);
  assert.ok(before > 1000 && took > 0);
  assert.ok(left < before - took + 0.01, `${left} s are left of ${before} s after ${took} s`);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
});

test("checkpoint explains its steps in a log as well", async () => {
  const live = await startProgram("logger", fresh("explained"));
  const log = join(dir, "checkpoint.log");
  const { code, stderr } = await crimg([
    "checkpoint",
    String(live.pid),
    "-R",
    "-o",
    join(dir, "explained.ckpt"),
    "--log",
    log,
  ]);
  assert.is(code, 0, stderr);
  assert.is(stderr, "");
  const text = readFileSync(log, "utf8");
  assert.match(text, new RegExp(`task ${live.pid}: seize it: done$`, "m"));
  assert.match(text, /resume the tasks$/m);
});

test("a log that cannot be written is told before anything is started", async () => {
  const { live, image } = await loggerImage("no-log");
  await gone(live.pid);
  const { code, stderr } = await crimg(["restore", image, "--detach", "--log", "/nowhere/at/all"], { env });
  assert.is(code, 2);
  assert.match(stderr, /^error: \/nowhere\/at: /);
  assert.is(statOf(live.pid), undefined);
});

test("what is for criu is refused", async () => {
  const { image } = await loggerImage("criu-only");
  for (const [args, said] of [
    [["--print"], /--print is for criu/],
    [["--", "--tcp-close"], /--tcp-close is an option for criu/],
  ] as const) {
    const { code, stderr } = await crimg(["restore", image, "--backend", "slim", ...args], { env });
    assert.is(code, 2);
    assert.match(stderr, said);
  }
  const elsewhere = await crimg(["restore", image, "--root", dir, "--force"], { env });
  assert.is(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /does not support --root .*--remap-path/);
});

/** Processes with this word in their command line. */
function withWord(word: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(word))
    .map(Number);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // it has ended
  }
}

/** What timerfds of an image have left, in seconds. */
async function timerSeconds(image: string): Promise<number[]> {
  const { stdout } = await crimg(["decode", image]);
  const { records } = JSON.parse(stdout) as { records: { record: string; fields?: { value_ns?: string } }[] };
  return records
    .filter(({ record }) => record === "TIMERFD")
    .map(({ fields }) => Number(fields?.value_ns) / 1e9);
}

/** What timerfds of a process have left, in seconds, proc_pid_fdinfo(5). */
function secondsLeft(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1");
    const [, seconds, ns] = /^it_value: \((\d+), (\d+)\)/m.exec(text) ?? [];
    return seconds === undefined ? [] : [Number(seconds) + Number(ns) / 1e9];
  });
}

/** All that a command writes to stdout, once it has ended. */
async function textOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk));
  await new Promise((resolve) => child.on("close", resolve));
  return text;
}

/** Whether a process has a handler of its own for a signal, proc_pid_status(5). */
function handles(pid: number, signal: number): boolean {
  const word = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return ((BigInt(`0x${word ?? "0"}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

test.run();
