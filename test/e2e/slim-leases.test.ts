/** Leases under the slim backend, above all those that are being broken. */

import { spawn, spawnSync } from "node:child_process";
import { constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg } from "../helpers/cli.js";
import {
  cleanUp,
  freshDirectory,
  goesOn,
  locksOf,
  progress,
  startProgram,
  statOf,
  until,
} from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim engine: leases", {}, 240);
const BREAK_TIME = "/proc/sys/fs/lease-break-time";

/** What `crimg show locks --json` says of leases; times in nanoseconds. */
interface Shown {
  readonly locks: readonly {
    readonly file: string;
    readonly breaking: boolean;
    readonly remaining?: number;
  }[];
}

slim.before(needsSlim);
slim.after(cleanUp);

slim(
  "being broken, passed on, held twice, waited for: the same three times in a row, and no signal comes",
  async () => {
    const work = freshDirectory("leases");
    const usual = readFileSync(BREAK_TIME, "utf8");
    const live = await startProgram("leases", work);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
    const before = locksOf(live.pid);
    assert.is(before.filter((line) => line.startsWith("LEASE BREAKING")).length, 5, before.join("; "));
    for (const cycle of [1, 2, 3]) {
      const image = `${work}/${cycle}.ckpt`;
      await checkpointed(live, image);
      await restored(image);
      await goesOn(live.log, 9);
      assert.equal(progress(live.log).failures, [], `cycle ${cycle}`);
      assert.equal(locksOf(live.pid), before);
      await until("the waiter", () => /-> LEASE +BREAKER/.test(readFileSync("/proc/locks", "utf8")));
      assert.is(readFileSync(BREAK_TIME, "utf8"), usual);
    }
    // The holder is still told of a break that begins only now.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK;
    assert.throws(() => openSync(join(work, "two"), flags), /EAGAIN|EWOULDBLOCK/);
    await until("the signals", () =>
      progress(live.log).failures.some((line) => line.includes("2 signals came")),
    );
  },
);

slim("a break goes on with the seconds of the image, counted from the end of the restart", async () => {
  const work = freshDirectory("lease-time");
  const live = await startProgram("leases", work);
  await goesOn(live.log, 2);
  const image = join(work, "image.ckpt");
  await checkpointed(live, image);
  const seconds = 4;
  const edited = join(work, "edited.ckpt");
  const edit = await crimg(["edit", image, "--lease-expiry", `=${seconds}s`, "-o", edited]);
  assert.is(edit.code, 0, edit.stdout + edit.stderr);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const begin = Date.now();
  await restored(edited);
  const end = Date.now();
  assert.ok(Number(readFileSync(BREAK_TIME, "utf8")) > seconds + 15);
  // Somebody who wants to write has to wait until the lease is gone, not a full break time of the host.
  const opened = (name: string) =>
    new Promise<number>((resolve, reject) => {
      const writer = spawn("/bin/sh", ["-c", 'exec 3<>"$1"', "sh", join(work, name)]);
      writer.on("error", reject);
      writer.on("close", () => resolve(Date.now()));
    });
  const times = await Promise.all(["read-to-none", "write-to-none", "twice"].map(opened));
  // So does the program that slept in open(2) when it was written down.
  await until("the waiter to open its file", () => /^waiter opened$/m.test(readFileSync(live.log, "utf8")));
  for (const time of times) {
    assert.ok(time - begin >= seconds * 1000 - 100, `${time - begin} ms from its begin`);
    assert.ok(time - end <= (seconds + 15) * 1000, `${time - end} ms from its end`);
  }
});

slim(
  "crimg is killed while breaks have another time on this host: its guard gives the usual one back",
  async () => {
    const work = freshDirectory("lease-killed");
    const live = await startProgram("leases", work);
    await goesOn(live.log, 2);
    const image = join(work, "image.ckpt");
    await checkpointed(live, image);
    const usual = readFileSync(BREAK_TIME, "utf8");
    const edited = join(work, "edited.ckpt");
    const edit = await crimg(["edit", image, "--lease-expiry", "=7s", "-o", edited]);
    assert.is(edit.code, 0, edit.stdout + edit.stderr);
    // It opens the file to read it, to set another time, and to give the usual one back, which it does not come to.
    const inject = ["-P", BREAK_TIME, "-e", "trace=openat", "-e", "inject=openat:signal=KILL:when=3"];
    const words = ["restore", edited, "--backend", "slim", "--detach"];
    const strace = ["-qq", "-o", join(work, "trace"), ...inject, process.execPath, CRIMG, ...words];
    needs("strace");
    const { signal } = spawnSync("strace", strace);
    assert.is(signal, "SIGKILL");
    await until("the usual time", () => readFileSync(BREAK_TIME, "utf8") === usual);
    await until("the end of what was begun", () => (statOf(live.pid)?.state ?? "Z") === "Z");
    await restored(edited);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
  },
);

slim("the time that somebody has waited for a lease is not given twice", async () => {
  const work = freshDirectory("lease-waited");
  const live = await startProgram("leases", work);
  const since = Date.now();
  await until("five seconds of waiting", () => Date.now() - since > 5000);
  const image = join(work, "image.ckpt");
  await checkpointed(live, image);
  const { locks } = JSON.parse((await crimg(["show", image, "locks", "--json"])).stdout) as Shown;
  const lock = locks.find(({ file, breaking }) => breaking && file.endsWith("/waited-for"));
  const left = (lock?.remaining ?? -1) / 1e9;
  const whole = Number(readFileSync(BREAK_TIME, "utf8"));
  assert.ok(left > 0 && left <= whole - 4, `${left} s of ${whole} s`);
});

slim.run();
