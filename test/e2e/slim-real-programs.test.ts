/** Programs of every day under the slim backend: checkpointed, gone, restored, and asked whether they are well. */
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  gone,
  kill,
  type Live,
  progress,
  start,
  startProgram,
  statOf,
  treeOf,
  until,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { OnTerminal } from "../helpers/on-terminal.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const real = suite("slim: real programs", {}, 240);
const dir = freshDirectory("slim-real");
real.before(needsSlim);
real.after(cleanUp);

const CYCLES = 3;

/** Checkpoints and restores a program that logs ticks; no tick may be missing. */
async function cycles(name: string, live: Live, log: string): Promise<void> {
  await goesOn(log, 3);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const image = join(dir, `${name}.${cycle}.ckpt`);
    await checkpointed(live, image);
    await gone(live.pid);
    await restored(image);
    await goesOn(log, 5);
  }
  assertWithoutGap(log);
}

function assertWithoutGap(log: string): void {
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  const numbers = lines.flatMap((line) => /^tick (\d+) /.exec(line)?.[1] ?? []).map(Number);
  assert.equal(
    numbers,
    numbers.map((_, i) => i + 1),
  );
  assert.equal(progress(log).failures, []);
}

async function begin(name: string, command: (log: string) => string[]): Promise<{ live: Live; log: string }> {
  const work = join(dir, name);
  mkdirSync(work);
  const log = join(work, "log");
  return { live: await start(command(log), { cwd: work, output: join(work, "output") }), log };
}

real("sleep sleeps on, and ends when its time has come", async () => {
  const { live } = await begin("sleep", () => ["/bin/sleep", "6"]);
  const image = join(dir, "sleep.ckpt");
  const before = Date.now();
  await checkpointed(live, image);
  await gone(live.pid);
  await restored(image);
  assert.match(statOf(live.pid)?.state ?? "", /[RS]/);
  await until("the end of sleep", () => (statOf(live.pid)?.state ?? "Z") === "Z", undefined, 60);
  assert.ok(Date.now() - before > 5000, `it ended after ${Date.now() - before} ms`);
});

real("bash counts on with a child for every number, and sees how each of them ends", async () => {
  const { live, log } = await begin("loop", (log) => [
    "/bin/bash",
    "-c",
    `trap 'echo trapped >>${log}' USR1
for ((i = 1; ; i++)); do
  sleep 0.05; (exit $((i % 200))); [ $? = $((i % 200)) ] && echo "tick $i ok" >>${log} || echo "tick $i FAIL" >>${log}
done`,
  ]);
  await cycles("loop", live, log);
  process.kill(live.pid, "SIGUSR1");
  await until("its trap", () => readFileSync(log, "utf8").includes("trapped"));
  await kill(live);
});

real("a pipeline of three loses nothing on its way", async () => {
  const { live, log } = await begin("pipeline", (log) => [
    "/bin/bash",
    "-c",
    `for ((i = 1; ; i++)); do echo $i; sleep 0.02; done | while read n; do echo "tick $n ok"; done | while read line; do echo "$line" >>${log}; done; :`,
  ]);
  await cycles("pipeline", live, log);
  await kill(live);
});

real("perl counts on in a directory that was moved meanwhile", async () => {
  needs("perl");
  const { live, log } = await begin("perl", (log) => [
    "/usr/bin/perl",
    "-e",
    `use strict; use Time::HiRes 'sleep'; open(my $log, '>>', '${log}') or die; $log->autoflush(1);
my %seen; for (my $i = 1; ; $i++) { $seen{$i} = "x" x $i; sleep 0.05;
print $log "tick $i ", (keys %seen == $i && length $seen{$i} == $i ? "ok" : "FAIL"), "\\n"; }`,
  ]);
  await goesOn(log, 3);
  const image = join(dir, "perl.ckpt");
  await checkpointed(live, image);
  await gone(live.pid);
  renameSync(join(dir, "perl"), join(dir, "moved"));
  const remap = `${join(dir, "perl")}=${join(dir, "moved")}`;
  const command = ["restore", image, "--backend", "slim", "--detach", "--remap-path", remap];
  const { code, stdout, stderr } = await crimg(command);
  assert.is(code, 0, stdout + stderr);
  await goesOn(join(dir, "moved/log"), 5);
  assertWithoutGap(join(dir, "moved/log"));
  await kill(live);
});

real("node computes on with its threads and timers", async () => {
  const { live, log } = await begin("node", (log) => [
    process.execPath,
    "-e",
    `const { createHash } = require("node:crypto"); const fs = require("node:fs");
const chain = (n) => { let h = "x"; for (let i = 0; i < n; i++) h = createHash("sha256").update(h).digest("hex"); return h; };
let h = "x", i = 0;
setInterval(() => { h = createHash("sha256").update(h).digest("hex"); i++;
fs.promises.appendFile("${log}", "tick " + i + " " + (h === chain(i) ? "ok" : "FAIL") + "\\n"); }, 50);`,
  ]);
  await cycles("node", live, log);
  await kill(live);
});

real("python commits in SQLite what it had begun before it was gone", async () => {
  const work = join(dir, "transaction");
  mkdirSync(work);
  const live = await startProgram("transaction", work);
  await cycles("transaction", live, live.log);
  process.kill(live.pid, "SIGUSR1");
  await until("the commit", () => readFileSync(live.log, "utf8").includes("committed"));
  await goesOn(live.log, 3);
  assertWithoutGap(live.log);
  await kill(live);
});

real("an interactive bash keeps its variables, its history and its jobs on another terminal", async () => {
  const first = await OnTerminal.start(["/bin/bash", "--norc", "--noprofile", "-i"]);
  await first.says(/[$#] $/);
  first.type("PS1='READY> '\n");
  await first.says(/READY> $/);
  first.type("kept=before; sleep 1000 &\n");
  await first.says(/\[1\] \d+[\s\S]*READY> $/);
  first.type("half=li");
  await first.says(/half=li$/);
  const live = await first.command();
  const image = join(dir, "interactive.ckpt");
  await checkpointed(live, image);
  await gone(live.pid);
  await kill(first.holder);
  const other = await OnTerminal.restore(image);
  await until("bash to be back", () => statOf(live.pid)?.sid === live.pid);
  other.type("ne; echo $kept $half; jobs\n");
  await other.says(/before line[\s\S]*\[1\]\+ +Running +sleep 1000/);
  other.type("fg\n");
  await until("the job to be in the foreground", () => foregroundOf(live.pid) !== live.pid);
  const job = foregroundOf(live.pid);
  assert.ok(treeOf(live.pid).includes(job));
  other.type("\x1a");
  await other.says(/\[1\]\+ +Stopped +sleep 1000/);
  other.type("kill -9 %1; echo still $kept\n");
  await other.says(/still before/);
  await until("the end of the job", () => (statOf(job)?.state ?? "Z") === "Z");
  await kill(live);
  await kill(other.holder);
});

/** The group in the foreground of the terminal of a task: field 8 of proc_pid_stat(5). */
function foregroundOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[5]);
}

real("script and the shell on its terminal come back together", async () => {
  const { live, log } = await begin("script", (log) => [
    "/usr/bin/script",
    "-qfc",
    `i=0; while :; do i=$((i + 1)); sleep 0.05; test -t 0 && test -t 1 && echo "tick $i ok" | tee -a ${log}; done`,
    join(dir, "typescript"),
  ]);
  await cycles("script", live, log);
  // What the shell says still passes through the master, which script has.
  const { ticks } = progress(log);
  await until("the shell to be heard", () =>
    readFileSync(join(dir, "typescript"), "utf8").includes(`tick ${ticks + 1} ok\r\n`),
  );
  await kill(live);
});

real.run();
