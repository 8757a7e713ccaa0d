/** What the slim backend does not checkpoint: each object is named, nothing is written, and the tasks run on. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  type LiveProgram,
  progress,
  start,
  startProgram,
  statOf,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { needsSlim, refusal } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("unsupported by slim", {}, 90);
const dir = freshDirectory("slim-unsupported");

slim.before(needsSlim);
slim.after(cleanUp);

/** The number that the log has behind a word. */
function told({ log }: LiveProgram, word: string): number {
  const [, number] = new RegExp(`^${word} (-?\\d+)$`, "m").exec(readFileSync(log, "utf8")) ?? [];
  return Number(number);
}

async function refused(name: string): Promise<{ live: LiveProgram; stderr: string }> {
  const work = join(dir, name);
  mkdirSync(work);
  const live = await startProgram(name, work);
  await goesOn(live.log, 2);
  const image = `${work}.ckpt`;
  const { stderr } = await refusal(live, image);
  assert.not(existsSync(image));
  await goesOn(live.log, 3);
  assert.equal(progress(live.log).failures, []);
  return { live, stderr };
}

slim("tasks that no call may be made in are told before any is touched", async () => {
  const { live, stderr } = await refused("untouchable");
  const expect = (word: string, what: string): void =>
    assert.ok(stderr.includes(`task ${told(live, word)} ${what}`), `${word}: ${what}\n${stderr}`);
  expect("traced", `is already traced by task ${live.pid}`);
  expect("vfork", "waits in vfork(2) for a child that uses its memory");
  expect("elsewhere", "is in another IPC namespace than crimg");
  expect("elsewhere", "is in another UTS namespace than crimg");
  expect("separate", "has a thread");
  expect("outlived", "leads a thread group, has ended, and other threads still run");
});

slim("objects that no image can hold are told one by one", async () => {
  const { live, stderr } = await refused("unsaveable");
  const made = (word: string, pattern: RegExp): void => {
    // A host may give none of these.
    if (told(live, word) >= 0) assert.match(stderr, pattern);
  };
  made("io_uring", new RegExp(`descriptor ${told(live, "io_uring")} of task ${live.pid} .*io_uring`));
  made("pidfd", new RegExp(`descriptor ${told(live, "pidfd")} of task ${live.pid} .*pidfd`));
  made("userfaultfd", /\[userfaultfd\]/);
  made("aio", new RegExp(`task ${live.pid} has a context of io_setup`));
  made("ring", new RegExp(`task ${live.pid} has a ring of a packet socket`));
  made("mdwe", /PR_SET_MDWE/);
  assert.match(
    stderr,
    new RegExp(`tasks ${live.pid} and ${told(live, "child")} share their working directory`),
  );
});

slim("what the same host could not restore is told before the tasks are ended", async () => {
  const { live, stderr } = await refused("unrestorable");
  const socket = (word: string): string =>
    `descriptor ${told(live, word)} of task ${live.pid} is a socket that could not`;
  assert.match(
    stderr,
    new RegExp(`${socket("replaced")} be bound again: .*/sock was deleted, and another file`),
  );
  assert.match(
    stderr,
    new RegExp(`${socket("homeless")} be bound again: .*/gone, the directory of its name`),
  );
  const descriptor = (word: string): string => `descriptor ${told(live, word)} of task ${live.pid} is /proc/`;
  assert.match(stderr, new RegExp(`${descriptor("ended")}\\d+/stat, of a task that has ended`));
  assert.match(
    stderr,
    new RegExp(`${descriptor("thread")}${live.pid}/task/\\d+/stat, which is there only once`),
  );
  assert.match(stderr, new RegExp(`task ${live.pid} has no vDSO`));
});

slim("32-bit programs are told", async () => {
  const source = join(dir, "pause.s");
  const program = join(dir, "pause");
  // pause(2) of i386, again and again: it needs no library, which the host may lack.
  writeFileSync(source, ".globl _start\n_start: movl $29, %eax\nint $0x80\njmp _start\n");
  needs("gcc");
  const built = spawnSync("gcc", ["-m32", "-nostdlib", "-static", "-o", program, source]);
  assert.is(built.status, 0, String(built.stderr));
  const live = await start([program], { cwd: dir });
  const { stderr } = await refusal(live, join(dir, "pause.ckpt"));
  assert.match(stderr, new RegExp(`task ${live.pid} runs 32-bit code`));
  assert.match(statOf(live.pid)?.state ?? "", /[RS]/);
});

slim.run();
