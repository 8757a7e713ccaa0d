/** Into a pid namespace of its own: ids that are taken outside are free in there, and an ordinary user may have one. */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  program,
  progress,
  start,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { forOtherUser, lentTo } from "../helpers/other-user.js";
import { checkpointed, needsSlim } from "../helpers/slim.js";
import { skip, suite } from "../helpers/suite.js";

const slim = suite("slim in a pid namespace", {}, 90);
const dir = freshDirectory("slim-pidns");
const NOBODY = 65534;
const AS_NOBODY = [
  "--reuid",
  `${NOBODY}`,
  "--regid",
  `${NOBODY}`,
  "--clear-groups",
  "--inh-caps=-all",
  "--bounding-set=-all",
];
/** Roots of trees in namespaces, which take all else in there with them. */
const roots: number[] = [];

slim.before(needsSlim);
slim.after(() => {
  for (const pid of roots)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  return cleanUp();
});

function rootOf(said: string): number {
  const pid = Number(/restored: root task (\d+)/.exec(said)?.[1]);
  assert.ok(pid > 1, said);
  roots.push(pid);
  return pid;
}

/** The ids of a task, from outside to inside. */
function idsOf(pid: number): number[] {
  const [, ids = ""] = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return ids.split(/\s+/).map(Number);
}

slim("--pidns: a tree comes back beside itself, with the ids that are still in use outside", async () => {
  const work = join(dir, "tree");
  mkdirSync(work);
  const live = await startProgram("tree", work);
  await goesOn(live.log, 3);
  const image = join(dir, "tree.ckpt");
  await checkpointed(live, image);
  const { code, stdout, stderr } = await crimg([
    "restore",
    image,
    "--backend",
    "slim",
    "--pidns",
    "--detach",
  ]);
  assert.is(code, 0, stdout + stderr);
  const pid = rootOf(stdout);
  assert.is(idsOf(pid).at(-1), live.pid);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
  const { ppid: init = 0 } = statOf(pid) ?? {};
  assert.ok(init > 1);
  process.kill(pid, "SIGKILL");
  await until("the end of the namespace with its root", () => (statOf(init)?.state ?? "Z") === "Z");
});

/** Everything that is restored from a file without a name: a pipe, the result of an edit or of a conversion. */
for (const [what, args, flags] of [
  ["stdin", ["-"], ["--pidns"]],
  ["an edit", ["IMG", "--hostname", "other", "--allow-unmatched"], ["--pids", "new"]],
  ["an edit of stdin", ["-", "--comm", "PID=other"], ["--pidns"]],
  ["a set", ["SET", "--lossy"], ["--pidns"]],
] as const)
  slim(`a tree comes back from ${what} in a pid namespace`, async () => {
    const work = join(dir, what.replaceAll(" ", "-"));
    mkdirSync(work);
    const live = await startProgram("logger", work);
    const log = join(work, "log/messages");
    await until("the log of the program", () => existsSync(log));
    await goesOn(log, 2);
    const image = join(work, "image.ckpt");
    await checkpointed(live, image);
    if (what === "a set") await crimg(["convert", image, join(work, "set"), "--lossy"]);
    const names: Readonly<Record<string, string>> = { IMG: image, SET: join(work, "set") };
    const from = args.map((word) => names[word] ?? word.replace("PID", `${live.pid}`));
    const input = args[0] === "-" ? { input: readFileSync(image) } : {};
    const { code, stdout, stderr } = await crimg(
      ["restore", ...from, "--backend", "slim", ...flags, "--detach"],
      input,
    );
    assert.is(code, 0, stdout + stderr);
    assert.is(idsOf(rootOf(stdout)).at(-1), live.pid);
    await goesOn(log, 3);
    assert.equal(progress(log).failures, []);
  });

slim("--pids new: an ordinary user checkpoints and restores what is his", async () => {
  needs("setpriv", "unshare");
  const user = forOtherUser();
  const work = join(dir, "user");
  mkdirSync(work);
  for (const path of [dir, work]) chownSync(path, NOBODY, NOBODY);
  const asNobody = (...command: string[]) =>
    spawnSync("setpriv", [...AS_NOBODY, ...command], { encoding: "utf8", timeout: 60_000, cwd: "/" });
  if (asNobody("unshare", "--user", "--pid", "--fork", "true").status !== 0)
    skip("this kernel lets ordinary users have no user namespaces", "user namespaces");
  const logger = lentTo(user, program("logger"));
  const live = await start(["/usr/bin/setpriv", ...AS_NOBODY, logger, work], { cwd: "/" });
  const log = join(work, "log/messages");
  await until("the log of the program", () => existsSync(log));
  await goesOn(log, 2);
  const image = join(work, "image.ckpt");
  const written = asNobody(user.node, user.crimg, "checkpoint", `${live.pid}`, "-o", image);
  assert.is(written.status, 0, written.stdout + written.stderr);
  const args = ["restore", image, "--backend", "slim", "--detach"];
  const refused = asNobody(user.node, user.crimg, ...args);
  assert.ok(refused.status !== 0);
  assert.match(refused.stderr + refused.stdout, /CAP_CHECKPOINT_RESTORE.*--pids new/);
  const { status, stdout, stderr } = asNobody(user.node, user.crimg, ...args, "--pids", "new");
  assert.is(status, 0, stdout + stderr);
  const pid = rootOf(stdout);
  assert.is(idsOf(pid).at(-1), live.pid);
  await goesOn(log, 3);
  assert.equal(progress(log).failures, []);
});

slim.run();
