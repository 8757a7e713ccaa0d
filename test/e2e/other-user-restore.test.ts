/** While root restores, the log and the pid file are to be written in a directory of a stranger, who puts what he likes there. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { atStep } from "../helpers/at-step.js";
import { type CliResult, CRIMG, crimg } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import { cleanUp, freshDirectory, kill, type Live, start, startProgram, until } from "../helpers/live.js";
import { checkpointed, needsSlim } from "../helpers/slim.js";
import { snapshot } from "../helpers/snapshot.js";
import { give } from "../helpers/strangers-image.js";
import { suite } from "../helpers/suite.js";

const test = suite("a restore that writes in a directory of another user", {}, 300);
test.after(cleanUp);

/** There is no criu to fall back on. */
const NO_CRIU = { CRIMG_CRIU: "/nowhere/criu" };
const FILES = { "--log": "app.log", "--pidfile": "app.pid" } as const;
type Flag = keyof typeof FILES;

const image = path.join(freshDirectory("restore-output"), "app.ckpt");
let live: Live = { pid: 0 };

test.before(async () => {
  needsSlim();
  live = await start(["/usr/bin/sleep", "3600"], { cwd: "/" });
  await checkpointed(live, image);
});

/** A directory of the stranger's, and one of root's with files of the same names. */
interface Stage {
  readonly place: string;
  readonly outside: string;
}

function stage(): Stage {
  const top = freshDirectory("stage");
  const [place, outside] = [path.join(top, "place"), path.join(top, "outside")];
  for (const directory of [place, outside]) fs.mkdirSync(directory);
  for (const name of Object.values(FILES))
    fs.writeFileSync(path.join(outside, name), "root's", { mode: 0o600 });
  fs.chmodSync(top, 0o755);
  give(place);
  return { place, outside };
}

function restore({ place }: Stage, env = {}): Promise<CliResult> {
  const files = Object.entries(FILES).flatMap(([flag, name]) => [flag, path.join(place, name)]);
  const args = ["restore", image, "--backend", "slim", "--detach", ...files];
  return crimg(args, { env: { ...NO_CRIU, ...env }, seconds: 30 });
}

function isOneSentence({ code, stderr, signal }: CliResult, what: string): void {
  assert.is(signal, null, what);
  assert.not.match(stderr, /internal error|^\s+at /m, what);
  assert.ok(code === 0 || code === 2, what);
}

/** What the stranger puts at a name, and whether root's file replaces it. */
const PLANTS: Readonly<Record<string, (at: string, stage: Stage, flag: Flag) => void>> = {
  "a link to a file": (at, { outside }, flag) => fs.symlinkSync(path.join(outside, FILES[flag]), at),
  "a link to a name that is free": (at, { outside }) => fs.symlinkSync(path.join(outside, "new"), at),
  "a link to a directory": (at, { outside }) => fs.symlinkSync(outside, at),
  "a second name of a file": (at, { outside }, flag) => fs.linkSync(path.join(outside, FILES[flag]), at),
  "a FIFO": (at) => execFileSync("mkfifo", [at]),
  "a directory": (at) => fs.mkdirSync(at),
  "a socket": (at) => {
    // Killed, since a server that ends takes its socket away.
    const listen = `require("net").createServer().listen(${JSON.stringify(at)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ["-e", listen]);
    assert.ok(fs.lstatSync(at).isSocket());
  },
};

for (const flag of Object.keys(FILES) as Flag[])
  for (const [what, plant] of Object.entries(PLANTS))
    test(`${what} at the name for ${flag}`, async () => {
      const at = stage();
      const planted = path.join(at.place, FILES[flag]);
      plant(planted, at, flag);
      const isSecondName =
        fs.lstatSync(planted, { throwIfNoEntry: false })?.nlink === 2 && !what.includes("directory");
      // A second name of root's file is not given away, which would give the file.
      if (!isSecondName && fs.existsSync(path.dirname(planted))) give(planted);
      const before = outsideOf(at);
      const result = await restore(at);
      await kill(live);
      isOneSentence(result, result.stderr);
      assert.equal(outsideOf(at), before, result.stderr);
      const found = fs.lstatSync(planted, { throwIfNoEntry: false });
      if (result.code === 0) assert.ok(found?.isFile() && found.uid === 0 && found.nlink === 1, what);
      else assert.match(result.stderr, new RegExp(FILES[flag]), what);
    });

/** Names and contents: a second name of a file changes its count of links alone. */
function outsideOf({ outside }: Stage): string[] {
  return fs
    .readdirSync(outside)
    .map((name) => `${name} ${fs.readFileSync(path.join(outside, name), "utf8")}`);
}

/** Runs a command with the stranger's directory swapped for a link to root's before each step, or each `stride`-th. */
async function swapped(
  run: (at: Stage, env: Record<string, string>) => Promise<CliResult>,
  end: () => Promise<void>,
  stride = 1,
): Promise<void> {
  let steps = 0;
  for (let isDone = false; !isDone; steps += stride) {
    const at = stage();
    const before = snapshot(at.outside);
    const env = atStep(
      steps + 1,
      `swap=${at.place}=${at.outside}`,
      "openSync,unlinkSync,mkdirSync,renameSync",
    );
    const result = await run(at, env);
    await end();
    isDone = !fs.existsSync(`${at.place}.aside`);
    const told = `step ${steps + 1}: ${result.code} ${result.stderr}`;
    isOneSentence(result, told);
    assert.equal(snapshot(at.outside), before, told);
    if (isDone) assert.is(result.code, 0, told);
    assert.ok(steps < 60, told);
  }
  assert.ok(steps > 3, `${steps} steps`);
  process.stdout.write(`${steps / stride - 1} swaps `);
}

test("the directory becomes a link to root's before each step of a restore", () =>
  swapped(restore, () => kill(live)));

test("the directory becomes a link to root's before each step of a restore by criu", async () => {
  const criu = needCriu();
  const images = freshDirectory("criu-output");
  const work = freshDirectory("criu-program");
  const dumped = await startProgram("logger", work);
  execFileSync(criu, ["dump", "-t", `${dumped.pid}`, "-D", images, ...dumped.options.dump], {
    stdio: "pipe",
  });
  const grown = ["data/records", "log/messages"].flatMap((name) => ["--accept-file", path.join(work, name)]);
  await swapped(
    ({ place }, env) => {
      const files = Object.entries(FILES).flatMap(([flag, name]) => [flag, path.join(place, name)]);
      const how = ["--backend", "criu", "--criu", criu, "--detach", ...grown];
      return crimg(["restore", images, ...how, ...files], { env });
    },
    () => kill(dumped),
    5,
  );
});

test("the directory becomes a link to root's before each step of a checkpoint", async () => {
  const running = await start(["/usr/bin/sleep", "3600"], { cwd: "/" });
  await swapped(
    ({ place }, env) => {
      const [out, log] = ["app.pid", "app.log"].map((name) => path.join(place, name)) as [string, string];
      return crimg(["checkpoint", `${running.pid}`, "-o", out, "--log", log, "--leave-running", "--force"], {
        env,
      });
    },
    async () => {},
  );
  await kill(running);
});

test("a deleted file of another user's task gets no name in a directory that is swapped", async () => {
  const own = freshDirectory("checkpoint-deleted");
  const hold = 'cd "$0" && exec 3<>a && ln a b && rm a && exec sleep 3600';
  const asUser = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
  for (const step of [1, 6, 12, 18, 24, LAST]) {
    const { place, outside } = stage();
    const task = await start([...asUser, "sh", "-c", hold, place], { cwd: "/" });
    await until("the deleted file", () => fs.existsSync(path.join(place, "b")) && isSleep(task.pid));
    const before = snapshot(outside);
    const env = atStep(step, `swap=${place}=${outside}`, "openSync,writeSync");
    const files = ["-o", path.join(own, `${step}.ckpt`), "--log", path.join(own, `${step}.log`)];
    const result = await crimg(["checkpoint", `${task.pid}`, ...files], { env });
    await kill(task);
    const told = `step ${step}: ${result.code} ${result.stderr}`;
    assert.not.match(result.stderr, /internal error|^\s+at /m, told);
    assert.equal(snapshot(outside), before, told);
    if (step < LAST) continue;
    assert.is(result.code, 0, told);
    assert.ok(fs.readdirSync(place).some((name) => name.startsWith(".crimg-")));
  }
});

/** No run has so many steps. */
const LAST = 10_000;

function isSleep(pid: number): boolean {
  return fs.readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n";
}

test("a pid file is not writable by others, whatever the umask", async () => {
  const at = stage();
  const file = path.join(at.outside, "new.pid");
  const args = [CRIMG, "restore", image, "--backend", "slim", "--detach", "--pidfile", file];
  execFileSync("/bin/sh", ["-c", 'umask 000; exec "$@"', "sh", process.execPath, ...args], { stdio: "pipe" });
  await kill(live);
  assert.is(fs.statSync(file).mode & 0o777, 0o644);
});

test.run();
