/** Files without a name under the slim backend: kept by contents, copy or link, and back without leaving a name. */

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type CliResult, CRIMG, crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  type LiveProgram,
  program,
  progress,
  start,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { mountXfs, needs } from "../helpers/needs.js";
import { checkpointed, needsSlim, restored, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim engine: deleted files", {}, 240);
const dir = freshDirectory("slim-deleted");
const SPARSE = 64 << 20;

slim.before(needsSlim);
slim.after(cleanUp);

slim("of every kind, three times in a row: names, links, holes and data are as they were", async () => {
  const work = fresh("all");
  const live = await survives("deleted", work, 3);
  const links = linksOf(live.pid);
  for (const name of ["small", "twin", "other-twin", "linked", "fifo", "directory", "link", "gone/orphan"])
    assert.ok(links.includes(`${work}/${name} (deleted)`), `${name} in ${links}`);
  assert.is(readlinkSync(`/proc/${live.pid}/cwd`), `${work}/cwd (deleted)`);
  assert.equal(readdirSync(work).sort(), ["kept", "log"]);
});

for (const way of [[], ["contents"], ["copy"], ["relink"]])
  slim(`all the ways: ${way[0] ?? "as it is best for each file"}`, async () => {
    const name = way[0] ?? "default";
    const work = fresh(`way-${name}`);
    const kept = fresh(`kept-${name}`);
    const live = await startProgram("unlinked", work);
    await goesOn(live.log, 2);
    const [flag] = way.map((method) => `--deleted=${method}`);
    const image = `${work}.ckpt`;
    await save(live, image, ...(flag ? [flag, "--relink-dir", kept] : []));
    const links = readdirSync(flag ? kept : work).filter(isOurs);
    const expected = { default: 3, contents: 0, copy: 3, relink: 4 }[name];
    assert.is(links.length, expected, links.join());
    const shown = await crimg(["validate", image, "--root", "/"]);
    assert.is(shown.code, 0, shown.stdout);
    const before = readFileSync(join(work, "b"), "latin1");
    await restored(image);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
    assert.equal([...readdirSync(work), ...readdirSync(kept)].filter(isOurs), []);
    // What the program writes through its descriptor is seen through the other name, where that is the same file.
    const isSame = name === "default" || name === "relink";
    assert.is(readFileSync(join(work, "b"), "latin1") !== before, isSame);
    assert.is(statSync(join(work, "b")).nlink, 1);
    assert.is(statSync(join(work, "fifo-b")).nlink, 1);
    for (const gone of ["a", "fifo", "directory"])
      assert.ok(linksOf(live.pid).includes(`${work}/${gone} (deleted)`), linksOf(live.pid).join());
    // A file that never had a name can still get one, unless it had one for the image.
    const unnamed = readdirSync(`/proc/${live.pid}/fd`).find((fd) =>
      /#\d+ \(deleted\)$/.test(readlinkSync(`/proc/${live.pid}/fd/${fd}`)),
    );
    const given = spawnSync("ln", ["-L", `/proc/${live.pid}/fd/${unnamed}`, join(work, "named")]);
    assert.is(given.status === 0, name !== "relink", String(given.stderr));
  });

slim(
  "relink is refused for a file without any name left, file by file, and nothing is left behind",
  async () => {
    const work = fresh("refused");
    const live = await startProgram("deleted", work);
    const image = join(dir, "refused.ckpt");
    const { code, stderr } = await crimg([
      "checkpoint",
      String(live.pid),
      "-o",
      image,
      "--deleted",
      "relink",
    ]);
    assert.is(code, 1, stderr);
    for (const name of ["small", "twin", "sparse", "mapped", "gone/orphan"])
      assert.ok(stderr.includes(`${work}/${name} cannot be relinked: it has no name left`), stderr);
    assert.not.match(stderr, /linked cannot/);
    assert.not(existsSync(image));
    assert.equal(readdirSync(work).sort(), ["kept", "log"]);
    await goesOn(live.log);
    assert.equal(progress(live.log).failures, []);
  },
);

slim("a copy wants a directory, and one that is there", async () => {
  const work = fresh("nowhere");
  const live = await startProgram("deleted", work);
  const ask = (...words: string[]) =>
    crimg(["checkpoint", String(live.pid), "-o", join(dir, "no.ckpt"), "--deleted", "copy", ...words]);
  const without = await ask();
  assert.is(without.code, 1, without.stderr);
  assert.match(without.stderr, /small cannot be copied: name a directory for it with --relink-dir/);
  const missing = await ask("--relink-dir", join(dir, "missing"));
  assert.is(missing.code, 2, missing.stderr);
  assert.match(missing.stderr, /missing is not a directory/);
  await goesOn(live.log);
});

slim("a copy shares its blocks where the file system can", async () => {
  const disk = join(dir, "disk");
  const xfs = fresh("xfs");
  writeFileSync(disk, "");
  truncateSync(disk, 600 << 20);
  mountXfs(disk, xfs);
  try {
    const [work, kept] = [join(xfs, "work"), join(xfs, "kept")];
    for (const each of [work, kept]) mkdirSync(each);
    const live = await startProgram("deleted", work);
    const log = join(dir, "reflink.log");
    const image = join(dir, "reflink.ckpt");
    const copying = ["--deleted=copy", "--relink-dir", kept];
    const left = ["-o", join(dir, "left.ckpt"), "--leave-running", ...copying];
    const running = await crimg(["checkpoint", String(live.pid), ...left]);
    assert.is(running.code, 0, running.stderr);
    const sparse = readdirSync(kept).find((name) => name.endsWith("sparse")) ?? "";
    spawnSync("sync", ["-f", kept]);
    const extents = spawnSync("filefrag", ["-v", join(kept, sparse)], { encoding: "utf8" }).stdout;
    assert.match(extents, /\bshared\b/);
    for (const name of readdirSync(kept)) rmSync(join(kept, name));
    await save(live, image, ...copying, "--log", log);
    const copied = /copied \S+sparse \(inode \d+, 67108864 bytes\) to \S+ by reflink/;
    assert.match(readFileSync(log, "utf8"), copied);
    assert.ok(statSync(image).size < SPARSE);
    await restored(image);
    await goesOn(live.log, 4);
    // The names of `linked` are those of a copy now; all else is as it was.
    assert.equal(
      progress(live.log).failures.filter((line) => !line.includes("linked has 0 names")),
      [],
    );
    assert.equal(readdirSync(kept), []);
  } finally {
    await cleanUp();
    spawnSync("umount", ["-l", xfs]);
  }
});

slim(
  "a new file has the name of a deleted one: it stays, and the deleted one comes back beside it",
  async () => {
    const work = fresh("taken");
    const live = await startProgram("unlinked", work);
    const image = `${work}.ckpt`;
    await checkpointed(live, image);
    writeFileSync(join(work, "a"), "somebody else's");
    mkdirSync(join(work, "directory"));
    await restored(image);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
    assert.is(readFileSync(join(work, "a"), "utf8"), "somebody else's");
    assert.ok(linksOf(live.pid).some((link) => /\/\.crimg-[0-9a-f]{12}-a \(deleted\)$/.test(link)));
    assert.equal(readdirSync(work).filter(isOurs), []);
    // Names do not grow from one checkpoint to the next.
    await checkpointed(live, `${work}.again.ckpt`);
    rmSync(join(work, "a"));
    await restored(`${work}.again.ckpt`);
    await goesOn(live.log, 2);
    assert.ok(linksOf(live.pid).some((link) => /\/\.crimg-[0-9a-f]{12}-a \(deleted\)$/.test(link)));
  },
);

slim("a checkpoint that cannot be written leaves no link and no copy, and the program runs on", async () => {
  const work = fresh("full");
  const kept = fresh("kept-full");
  const live = await startProgram("unlinked", work);
  for (const words of [[], ["--deleted", "copy", "--relink-dir", kept]]) {
    const out = await crimg(["checkpoint", String(live.pid), "-o", join(dir, "no/such/dir"), ...words]);
    assert.is(out.code, 2, out.stderr);
    assert.equal([...readdirSync(work), ...readdirSync(kept)].filter(isOurs), []);
  }
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
});

slim("a restart that fails half way leaves what the image needs and no more; the next succeeds", async () => {
  const work = fresh("half");
  const live = await startProgram("unlinked", work);
  const image = `${work}.ckpt`;
  await checkpointed(live, image);
  const [log, aside] = [join(work, "log"), join(dir, "log-aside")];
  renameSync(log, aside);
  const names = readdirSync(work).sort();
  const failed = await crimg(["restore", image, "--backend", "slim", "--detach", "--force"]);
  assert.is(failed.code, 1, failed.stdout + failed.stderr);
  assert.equal(readdirSync(work).sort(), names);
  assert.is(statOf(live.pid)?.state ?? "Z", "Z");
  renameSync(aside, log);
  await restored(image);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
  assert.equal(readdirSync(work).filter(isOurs), []);
});

slim("crimg is killed while a name of its own is there: its guard removes that, and only that", async () => {
  const work = fresh("killed");
  const live = await startProgram("unlinked", work);
  const image = `${work}.ckpt`;
  // The call is not made any more: what it was to remove is there.
  const killedAt = (call: string, words: string[]): CliResult["signal"] => {
    const inject = [
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `trace=${call}`,
      "-e",
      `inject=${call}:signal=KILL:when=1`,
    ];
    needs("strace");
    const { signal } = spawnSync("strace", [...inject, process.execPath, CRIMG, ...words]);
    return signal;
  };
  assert.is(killedAt("linkat", ["checkpoint", String(live.pid), "-o", image]), "SIGKILL");
  await until("the guard", () => !readdirSync(work).some(isOurs));
  await goesOn(live.log, 4);
  await checkpointed(live, image);
  const links = readdirSync(work).filter(isOurs).sort();
  assert.is(links.length, 3);
  const restore = ["restore", image, "--backend", "slim", "--detach"];
  for (const call of ["unlink", "rmdir"]) {
    assert.is(killedAt(call, restore), "SIGKILL", call);
    await until(`the guard after ${call}`, () => {
      const names = readdirSync(work).sort();
      return (
        names.filter(isOurs).join() === links.join() && !names.includes("a") && !names.includes("directory")
      );
    });
    await until("the end of what was begun", () => (statOf(live.pid)?.state ?? "Z") === "Z");
  }
  await restored(image);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
  assert.equal(readdirSync(work).filter(isOurs), []);
});

slim("a program whose own file is gone goes on without one", async () => {
  const work = fresh("upgraded");
  const own = join(work, "logger-1.0");
  copyFileSync(program("logger"), own);
  const live = Object.assign(await start([own, work], { cwd: "/" }), { log: join(work, "log/messages") });
  await until("the program", () => existsSync(live.log) && readFileSync(live.log, "utf8").includes("ready"));
  rmSync(own);
  for (const cycle of [1, 2]) {
    await checkpointed(live, `${work}.${cycle}.ckpt`);
    await restored(`${work}.${cycle}.ckpt`);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
    assert.is(readlinkSync(`/proc/${live.pid}/exe`), `${own} (deleted)`);
    assert.not(existsSync(own));
  }
});

slim("show, diff, edit and convert know what keeps a deleted file", async () => {
  const work = fresh("known");
  const live = await startProgram("unlinked", work);
  const image = `${work}.ckpt`;
  await save(live, image, "--deleted=relink");
  const said = async (...words: string[]): Promise<CliResult> => {
    const result = await crimg(words);
    assert.is(result.code, 0, words.join(" ") + result.stdout + result.stderr);
    return result;
  };
  const files = await said("show", image, "files", "--json");
  assert.match(files.stdout, /\.crimg-[0-9a-f]{12}-a"/);
  await said("diff", image, image);
  const substitute = readdirSync(work).find((name) => /^\.crimg-[0-9a-f]{12}-a$/.test(name)) ?? "";
  linkSync(join(work, substitute), join(work, "elsewhere"));
  const edited = `${work}.edited.ckpt`;
  await said("edit", image, "--deleted", `${work}/a=relink:${work}/elsewhere`, "-o", edited);
  rmSync(join(work, substitute));
  const broken = await crimg(["validate", image, "--root", "/"]);
  assert.is(broken.code, 1, broken.stdout);
  assert.match(broken.stdout, /LINK_REMAP/);
  await said("validate", edited, "--root", "/");
  const set = join(work, "set");
  await said("convert", edited, set, "--lossy");
  assert.match((await said("show", set, "files", "--json")).stdout, /elsewhere"/);
  await restored(edited);
  await goesOn(live.log, 4);
  assert.equal(progress(live.log).failures, []);
});

slim.run();

function fresh(name: string): string {
  const made = join(dir, name);
  mkdirSync(made);
  return made;
}

/** `crimg checkpoint` with more words. */
async function save({ pid }: LiveProgram, image: string, ...words: string[]): Promise<void> {
  const { code, stdout, stderr } = await crimg(["checkpoint", String(pid), "-o", image, ...words]);
  assert.is(code, 0, stdout + stderr);
  await until("the end of the program", () => (statOf(pid)?.state ?? "Z") === "Z");
}

function isOurs(name: string): boolean {
  return name.startsWith(".crimg-");
}

function linksOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}
