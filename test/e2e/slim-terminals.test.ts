/** Terminals under the slim backend: pseudo terminals of the tree, and the one that a program was started on. */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  gone,
  kill,
  progress,
  startProgram,
  statOf,
  treeOf,
  until,
} from "../helpers/live.js";
import { OnTerminal } from "../helpers/on-terminal.js";
import { checkpointed, needsSlim, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const terminals = suite("slim: terminals", {}, 240);
const dir = freshDirectory("slim-terminals");
terminals.before(needsSlim);
terminals.after(cleanUp);

function place(name: string): string {
  const work = join(dir, name);
  mkdirSync(work);
  return work;
}

terminals("pseudo terminals of the tree come back with their modes and all that waits in them", async () => {
  await kill(await survives("terminals", place("terminals"), 5));
});

terminals("a raw terminal, a watched directory and a socket with an owner come back together", async () => {
  await kill(await survives("terminal", place("terminal"), 2));
});

terminals("a checkpoint that leaves the tree running leaves what waits in its terminals", async () => {
  const live = await startProgram("terminals", place("left"));
  for (let i = 0; i < 5; i++) {
    const { code, stderr } = await crimg([
      "checkpoint",
      String(live.pid),
      "-R",
      "-o",
      join(dir, `left.${i}.ckpt`),
    ]);
    assert.is(code, 0, stderr);
    await goesOn(live.log, 8);
  }
  assert.equal(progress(live.log).failures, []);
  const { code, stdout } = await crimg(["validate", join(dir, "left.0.ckpt")]);
  assert.is(code, 0, stdout);
  await kill(live);
});

terminals("a terminal whose number is in use is refused by name", async () => {
  const live = await startProgram("terminal", place("taken"));
  const links = treeOf(live.pid).flatMap((pid) =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
  );
  const wanted = links.find((link) => link.startsWith("/dev/pts/")) ?? "";
  const image = join(dir, "taken.ckpt");
  await checkpointed(live, image);
  await gone(live.pid);
  // The lowest number that is free is given: soon that of the image.
  const taken: number[] = [];
  while (!existsSync(wanted) && taken.length < 100) taken.push(openSync("/dev/ptmx", "r+"));
  const { code, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(code, 1, stderr);
  assert.match(stderr, new RegExp(`the terminal ${wanted} of the checkpoint is in use on this host`));
  assert.is(statOf(live.pid), undefined);
  for (const fd of taken) closeSync(fd);
});

const counting = (log: string) => `i=0
while :; do i=$((i + 1)); echo "tick $i ok" >>${log}
IFS= read -t 0.05 -r line && echo "heard $line after $i"
done`;

terminals("a program on the terminal of a shell outside goes on on that of crimg", async () => {
  const log = join(place("job"), "log");
  const shell = await OnTerminal.start(["/bin/bash", "--norc", "--noprofile", "-i"]);
  await shell.says(/[$#] $/);
  shell.type(`/bin/bash --norc -c '${counting(log).replaceAll("\n", "; ").replace("do;", "do")}'\n`);
  await goesOn(log, 3);
  const job = foregroundOf((await shell.command()).pid);
  const image = join(dir, "job.ckpt");
  await checkpointed({ pid: job }, image);
  await gone(job);
  const { ticks } = progress(log);
  // Without a terminal there is nothing that could take its place.
  const refused = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /the terminal \/dev\/pts\/\d+ is outside the checkpoint/);
  const other = await OnTerminal.restore(image, "with them");
  await goesOn(log, 5);
  assert.ok(progress(log).ticks > ticks);
  other.type("you\n");
  await other.says(/heard you after \d+/);
  assert.equal(progress(log).failures, []);
  for (const each of [shell, other]) await kill(each.holder);
});

/** The group in the foreground of the terminal of a task: field 8 of proc_pid_stat(5). */
function foregroundOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[5]);
}

terminals("a session on a terminal that another session has is refused", async () => {
  const log = join(place("taken-session"), "log");
  const first = await OnTerminal.start(["/bin/bash", "--norc", "-c", counting(log)]);
  await goesOn(log, 3);
  const live = await first.command();
  const image = join(dir, "taken-session.ckpt");
  await checkpointed(live, image);
  await gone(live.pid);
  const shell = await OnTerminal.start(["/bin/bash", "--norc", "--noprofile", "-i"]);
  await shell.says(/[$#] $/);
  shell.type(`"${process.execPath}" "${CRIMG}" restore ${image} --backend slim --detach\n`);
  await shell.says(/belongs to the session \d+/);
  assert.is(statOf(live.pid), undefined);
  // As the first program of a terminal crimg can give it up.
  const other = await OnTerminal.restore(image);
  await goesOn(log, 3);
  assert.is(statOf(live.pid)?.sid, live.pid);
  await until("the restored session to have the terminal", () => foregroundOf(live.pid) === live.pid);
  other.type("me\n");
  await other.says(/heard me/);
  for (const each of [shell, other]) await kill(each.holder);
  await kill(live);
});

terminals.run();
