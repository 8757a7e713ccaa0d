/** Sets become linux-cr streams on the command line, and programs go on that are restored from these. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import { findingsOf, idsOf, openBy, placesFor, recodesToSameBytes, succeeds } from "../helpers/journey.js";
import {
  cleanUp,
  goesOn,
  type LiveProgram,
  program,
  progress,
  start,
  startProgram,
  until,
} from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const streams = suite("restored streams", {}, 120);
streams.before(() => {
  needCriu();
});
streams.after(cleanUp);

/** A program that was dumped: its set, what it had open, and where its stream goes. */
interface Dumped extends LiveProgram {
  readonly images: string;
  readonly stream: string;
  readonly open: readonly string[];
  readonly ticks: number;
}

/** One program sets and clears close-on-exec of this descriptor all the time. */
const TOGGLED = / fd 50 /;

function stateOf(pid: number): string[] {
  return openBy([pid]).filter((line) => !TOGGLED.test(line));
}

async function dumped(name: string): Promise<Dumped> {
  const { work, images } = placesFor(name);
  const live = await startProgram(name, work);
  await goesOn(live.log, 2);
  const open = stateOf(live.pid);
  await dump(live.pid, images, live.options.dump);
  const { ticks } = progress(live.log);
  return { ...live, images, stream: join(work, "..", `${name}.ckpt`), open, ticks };
}

/** The restored program goes on, finds nothing wrong with itself, and has open and locked what it had. */
async function isBack({ pid, log, open, ticks }: Dumped): Promise<void> {
  await goesOn(log, 10);
  const now = progress(log);
  assert.ok(now.ticks > ticks);
  assert.equal(now.failures, []);
  assert.equal(stateOf(pid), open);
}

for (const name of ["logger", "locks"]) {
  streams(`${name} goes on from a set that was a stream in between`, async () => {
    const program = await dumped(name);
    const { images, stream } = program;
    const again = `${images}-again`;
    const before = await findingsOf(images);
    await succeeds("convert", images, stream);
    await succeeds("convert", stream, again);
    assert.is(
      (await succeeds("diff", images, again)).stdout,
      `no differences between ${images} and ${again}\n`,
    );
    const after = await findingsOf(again);
    assert.equal(
      [after.valid, idsOf(after.findings, "warning")],
      [before.valid, idsOf(before.findings, "warning")],
    );
    recodesToSameBytes(again);
    await restore(again, program.options.restore);
    await isBack(program);
  });
}

for (const name of ["logger", "counter", "transaction", "locks", "deleted", "threads", "tree", "terminal"]) {
  streams(`${name} is restored from a stream, and nothing of the set stays behind`, async () => {
    const program = await dumped(name);
    const { images, stream } = program;
    await succeeds("convert", images, stream);
    const beside = (): string[] => readdirSync(join(stream, "..")).sort();
    const before = beside();
    const { stdout } = await succeeds("restore", stream, "--detach");
    assert.is(stdout, `restored: root task ${program.pid}\n`);
    assert.equal(beside(), before);
    await isBack(program);
  });
}

streams("a stream goes through a pipe into a restore", async () => {
  const program = await dumped("logger");
  const line = `"$0" "$1" convert "$2" - | "$0" "$1" restore - --detach`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", line, process.execPath, CRIMG, program.images], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.is(status, 0, stderr);
  assert.is(stdout, `restored: root task ${program.pid}\n`);
  await isBack(program);
});

streams("a stream whose files have moved is restored with --remap-path, and stays as it was", async () => {
  const { work, moved, images } = placesFor("logger");
  const live = await startProgram("logger", work);
  await goesOn(live.log, 2);
  await dump(live.pid, images, live.options.dump);
  const stream = `${images}.ckpt`;
  await succeeds("convert", images, stream);
  renameSync(work, moved);
  const { code, stdout } = await crimg(["restore", stream, "--detach"]);
  assert.is(code, 1, stdout);
  await succeeds("restore", stream, "--remap-path", `${work}=${moved}`, "--detach");
  await goesOn(join(moved, "log", "messages"), 5);
  assert.ok(openBy([live.pid]).every((line) => !line.includes(`${work}/`)));
});

streams("host name and SysV objects of namespaces of the program's own come back", async () => {
  const { work, images } = placesFor("own-namespaces");
  const log = join(work, "log", "messages");
  const make = "hostname boxed && ipcmk -M 8192 && ipcmk -Q && ipcmk -S 3";
  const live = await start(
    [
      "/usr/bin/unshare",
      "--uts",
      "--ipc",
      "/bin/sh",
      "-c",
      `${make} && exec "$0" "$1"`,
      program("logger"),
      work,
    ],
    { cwd: "/" },
  );
  await until("logger to be ready", () => existsSync(log) && readFileSync(log, "utf8").includes("ready"));
  const seen = (): string =>
    execFileSync("nsenter", ["-t", String(live.pid), "--uts", "--ipc", "sh", "-c", "hostname; ipcs"], {
      encoding: "utf8",
    });
  const before = seen();
  assert.match(before, /^boxed\n[\s\S]* 8192 /);
  await dump(live.pid, images, []);
  const stream = `${images}.ckpt`;
  await succeeds("convert", images, stream);
  await succeeds("restore", stream, "--detach");
  await goesOn(log, 5);
  assert.is(seen(), before);
});

streams("a failed restore of a stream leaves nothing behind", async () => {
  const program = await dumped("logger");
  const { images, stream } = program;
  await succeeds("convert", images, stream);
  const away = `${images}.away`;
  renameSync(join(images, "..", "work"), away);
  const before = readdirSync(join(stream, "..")).sort();
  const { code, json } = await crimgJson(["restore", stream, "--detach", "--force"]);
  assert.is(code, 1);
  assert.is((json as { restart: { restored: boolean } }).restart.restored, false);
  assert.equal(readdirSync(join(stream, "..")).sort(), before);
  mkdirSync(join(images, "..", "work"));
});

streams.run();
