/**
 * SIGKILL to crimg while it checkpoints and while it restores, at moments spread over the whole of it. The program
 * under test looks at itself at each tick: threads with locks, sleeps, reads and full vector registers, timers, a child.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { crimgKilledAfter, moments, randomBy, threadStates } from "../helpers/kills.js";
import {
  cleanUp,
  freshDirectory,
  type LiveProgram,
  progress,
  startProgram,
  statOf,
  treeOf,
  until,
} from "../helpers/live.js";
import { NIGHTLY, SEED } from "../helpers/seed.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const KILLS = Number(process.env.CRIMG_KILLS ?? (NIGHTLY ? 200 : 40));
const kills = suite("kills of the slim engine", {}, 1800);
const dir = freshDirectory("kills");
const work = join(dir, "work");
const out = join(dir, "out");
const image = join(out, "image.ckpt");
const random = randomBy(SEED);
let live: LiveProgram;

kills.before(async () => {
  needsSlim();
  process.stdout.write(`seed ${SEED} `);
  mkdirSync(work);
  mkdirSync(out);
  live = await startProgram("everything", work);
});
kills.after(cleanUp);

/** It goes on, and every thread of it: nothing is stopped, nothing has changed in its eyes. */
async function isWhole(after: string): Promise<void> {
  const { ticks } = progress(live.log);
  const tasks = treeOf(live.pid);
  assert.is(tasks.length, 2, `${after}: tasks ${tasks}`);
  await until(`two ticks ${after}`, () => progress(live.log).ticks >= ticks + 2, lastLine);
  assert.equal(progress(live.log).failures, [], after);
  for (const pid of tasks) {
    const states = threadStates(pid, readdirSync(`/proc/${pid}/task`).map(Number));
    assert.not.match(states, /[TtZX]/, `${after}: task ${pid}`);
    assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), /^TracerPid:\t0$/m, after);
  }
}

function lastLine(): string {
  return readFileSync(live.log, "utf8").split("\n").at(-2) ?? "";
}

/** Milliseconds from the start of crimg to its end, in the middle of three runs; `after` each of them. */
async function usual(args: readonly string[], after: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { code, milliseconds, output } = await crimgKilledAfter(args, Number.POSITIVE_INFINITY);
    assert.is(code, 0, output);
    times.push(milliseconds);
    await after();
  }
  return times.sort((a, b) => a - b)[1] as number;
}

kills(
  `${KILLS} kills of checkpoint: the target does not notice, the image is whole or not there`,
  async () => {
    const args = ["checkpoint", String(live.pid), "-o", image, "--leave-running"];
    const duration = await usual(args, async () => rmSync(image));
    let killed = 0;
    let wrote = 0;
    for (const [i, moment] of moments(KILLS, 0, duration * 1.1, random).entries()) {
      const name = `after kill ${i + 1} at ${moment.toFixed(1)} ms`;
      const { code, output } = await crimgKilledAfter(args, moment);
      assert.ok(code === undefined || code === 0, `${name}: ${output}`);
      if (code === undefined) killed++;
      await isWhole(name);
      const files = readdirSync(out);
      if (!existsSync(image)) assert.equal(files, [], name);
      else {
        wrote++;
        assert.equal(files, ["image.ckpt"], name);
        const check = await crimg(["info", image]);
        assert.is(check.code, 0, `${name}: ${check.stdout}${check.stderr}`);
        rmSync(image);
      }
    }
    const text = readFileSync(live.log, "utf8");
    const interrupted = text.match(/was interrupted$/gm)?.length ?? 0;
    process.stdout.write(
      `\n  checkpoint: ${killed} of ${KILLS} runs of ${duration.toFixed(0)} ms killed, ${wrote} images, all whole; epoll_wait interrupted ${interrupted} times\n`,
    );
    assert.ok(killed > KILLS / 2, `only ${killed} runs were killed before their end`);
  },
);

kills(`${KILLS} kills of restore: all of the tree is there or nothing`, async () => {
  await checkpointed(live, image);
  const args = ["restore", image, "--backend", "slim", "--detach"];
  const before = listing();
  const putBack = keepFiles();
  const descendants = new Set<number>();
  const duration = await usual(args, async () => {
    await isWhole("after a restore");
    for (const pid of treeOf(live.pid)) descendants.add(pid);
    await endAll();
    putBack();
  });
  let killed = 0;
  let alive = 0;
  for (const [i, moment] of moments(KILLS, 0, duration * 1.1, random).entries()) {
    const name = `after kill ${i + 1} at ${moment.toFixed(1)} ms`;
    const { code, output } = await crimgKilledAfter(args, moment);
    assert.ok(code === undefined || code === 0, `${name}: ${output}`);
    if (code === undefined) killed++;
    // The kernel ends the tasks with crimg, but not within the same instant.
    await until(
      `all or nothing ${name}`,
      () => {
        const alive = [...descendants].filter(isAlive).length;
        const there = [...descendants].filter((pid) => statOf(pid) !== undefined).length;
        return alive === descendants.size || there === 0;
      },
      () => [...descendants].map((pid) => `${pid} ${statOf(pid)?.state ?? "gone"}`).join(", "),
    );
    if (isAlive(live.pid)) {
      alive++;
      await isWhole(name);
      await endAll();
      putBack();
    }
    // The guard that takes names back sees the end of crimg a moment later.
    await until(
      `the files of before ${name}`,
      () => listing().join() === before.join(),
      () => listing().join(),
    );
    await until(
      `the end of what was made ${name}`,
      () => strays().length === 0,
      () => strays().join(),
    );
  }
  await restored(image);
  await isWhole("after all kills");
  process.stdout.write(
    `\n  restore: ${killed} of ${KILLS} runs of ${duration.toFixed(0)} ms killed; ${KILLS - alive} times nothing was left, ${alive} times all ran\n`,
  );
  assert.ok(killed > KILLS / 2, `only ${killed} runs were killed before their end`);
});

/** A task with SIGKILL pending is as good as dead: the kernel sends it before crimg is gone, and ends the task when it runs next. */
function isAlive(pid: number): boolean {
  if (["Z", "X", undefined].includes(statOf(pid)?.state)) return false;
  try {
    const [, pending = "0"] =
      /^SigPnd:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return (BigInt(`0x${pending}`) & (1n << 8n)) === 0n;
  } catch {
    return false;
  }
}

/** Remembers the files of the program; gives what makes them again what they are now, inode and time of writing included. */
function keepFiles(): () => void {
  const files = readdirSync(work).map((name) => {
    const path = join(work, name);
    return { path, bytes: readFileSync(path), stat: statSync(path) };
  });
  return () => {
    for (const { path, bytes, stat } of files) {
      writeFileSync(path, bytes);
      utimesSync(path, stat.atime, stat.mtime);
    }
  };
}

/** Ends the restored tree. */
async function endAll(): Promise<void> {
  const pids = treeOf(live.pid);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  for (const pid of pids) await until(`the end of task ${pid}`, () => statOf(pid) === undefined);
}

/** The names of all files beside the program and the image. */
function listing(): string[] {
  return [...readdirSync(work), ...readdirSync(out)].sort();
}

/** What a crimg that has ended left: the tasks of another one that is at work have a Node process as their parent. */
function strays(): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      if (!readlinkSync(`/proc/${name}/exe`).includes("crimg-stub")) return false;
      return (
        readFileSync(`/proc/${statOf(Number(name))?.ppid}/comm`, "utf8") !==
        readFileSync("/proc/self/comm", "utf8")
      );
    } catch {
      return false;
    }
  });
}

kills.run();
