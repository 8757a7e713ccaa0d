/** File locks under the slim backend: counted, taken, read back; waited for again; refused when another holds them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  kill,
  locksOf,
  progress,
  start,
  startProgram,
  statOf,
  treeOf,
  until,
} from "../helpers/live.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim engine: file locks", {}, 240);

slim.before(needsSlim);
slim.after(cleanUp);

slim("of every kind come back twice in a row, each as often as it was there", async () => {
  const work = freshDirectory("locks");
  const live = await startProgram("locks", work);
  await goesOn(live.log, 2);
  const before = locksOf(live.pid);
  assert.is(before.length, 12, before.join("; "));
  for (const cycle of [1, 2]) {
    const image = `${work}/${cycle}.ckpt`;
    await checkpointed(live, image);
    const shown = await crimg(["show", image, "locks", "--json"]);
    assert.is(shown.code, 0, shown.stderr);
    await restored(image);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, [], `cycle ${cycle}`);
    assert.equal(locksOf(live.pid), before);
  }
});

slim("who waited for a lock waits again, and gets it when the holder lets go", async () => {
  const work = freshDirectory("blocked");
  const live = await startProgram("blocked", work);
  await until("three that wait", () => waiters(work).length === 3);
  await goesOn(live.log, 2);
  const tree = treeOf(live.pid).sort();
  const locks = allLocks(work);
  for (const cycle of [1, 2]) {
    await checkpointed(live, `${work}/${cycle}.ckpt`);
    await until("the end of all", () => tree.every((pid) => (statOf(pid)?.state ?? "Z") === "Z"));
    await restored(`${work}/${cycle}.ckpt`);
    await until("three that wait again", () => waiters(work).length === 3);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, [], `cycle ${cycle}`);
    assert.equal(treeOf(live.pid).sort(), tree);
    assert.equal(allLocks(work), locks);
  }
  process.kill(live.pid, "SIGUSR1");
  const got = () =>
    ["posix", "ofd", "flock"].filter((kind) => said(live.log).includes(`${kind} got ${kind}`));
  await until(
    "all to get their locks",
    () => got().length === 3,
    () => said(live.log).slice(-4).join("; "),
  );
  await goesOn(live.log, 2);
  assert.equal(progress(live.log).failures, []);
});

const TAKE = {
  posix: `fcntl.lockf(f, fcntl.LOCK_EX, 10, 150)`,
  "flock-shared": `fcntl.flock(f, fcntl.LOCK_EX)`,
  ofd: `fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 5, 2, 0))`,
  "lease-write": `pass`,
};

for (const [name, take] of Object.entries(TAKE))
  slim(
    `a lock that another process holds now is refused with its holder, before anything starts: ${name}`,
    async () => {
      const work = freshDirectory(`rival-${name}`);
      const live = await startProgram("locks", work);
      await goesOn(live.log, 2);
      const image = join(work, "image.ckpt");
      await checkpointed(live, image);
      const script = `import fcntl, struct, time
f = open("${join(work, name)}", "r+b")
${take}
print("taken", flush=True)
time.sleep(600)`;
      const output = join(work, "rival.out");
      const rival = await start(["/usr/bin/python3", "-c", script], { cwd: work, output });
      await until(
        "the rival",
        () => readFileSync(output, "utf8").includes("taken"),
        () => readFileSync(output, "utf8"),
      );
      const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
      assert.is(code, 1, stdout + stderr);
      const told = (stdout + stderr).replaceAll(/\s+/g, " ");
      assert.ok(told.includes(`task ${rival.pid} (python3)`), told);
      assert.match(
        told,
        name === "lease-write" ? /has the file open/ : /holds a (posix|flock|ofd) write lock/,
      );
      assert.is(statOf(live.pid)?.state ?? "Z", "Z");
      await kill(rival);
      await restored(image);
      await goesOn(live.log, 4);
      assert.equal(progress(live.log).failures, []);
    },
  );

slim("a lease of another process on a file to open is not waited for", async () => {
  const work = freshDirectory("leased");
  const live = await startProgram("logger", work);
  await goesOn(live.log, 2);
  const image = join(work, "image.ckpt");
  await checkpointed(live, image);
  const output = join(work, "rival.out");
  const script = `import fcntl, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
f = open("${join(work, "data/records")}", "r+b")
fcntl.fcntl(f, 1024, fcntl.F_WRLCK)
print("taken", flush=True)
time.sleep(600)`;
  const rival = await start(["/usr/bin/python3", "-c", script], { cwd: work, output });
  await until("the lease", () => readFileSync(output, "utf8").includes("taken"));
  const begin = Date.now();
  const { code, stdout, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.is(code, 1, stdout + stderr);
  assert.match((stdout + stderr).replaceAll(/\s+/g, " "), /records: another process has a lease on it/);
  assert.ok(Date.now() - begin < 30_000);
  await kill(rival);
  await restored(image);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
});

slim.run();

/** Lines of /proc/locks about those that wait for a lock. */
function waiters(work: string): string[] {
  return allLocks(work).filter((line) => line.includes("->"));
}

/** Lines of /proc/locks about the files of a directory, sorted, without their numbers. */
function allLocks(work: string): string[] {
  const inodes = readdirSync(work).map((name) => `:${statSync(join(work, name)).ino} `);
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .map((line) =>
      line
        .replace(/^\d+: /, "")
        .split(/\s+/)
        .join(" "),
    )
    .filter((line) => inodes.some((inode) => line.includes(inode)))
    .sort();
}

function said(log: string): string[] {
  return readFileSync(log, "utf8").split("\n");
}
