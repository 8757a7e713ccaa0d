/** Where criu itself falls short: what it really does, that crimg says so before, and what helps. */
import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import { findingsOf, idsOf, placesFor, succeeds } from "../helpers/journey.js";
import { cleanUp, goesOn, kill, locksOf, start, startProgram, statOf, until } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const faults = suite("faults of criu");
faults.before(() => {
  needCriu();
});
faults.after(cleanUp);

faults("criu drops all locks and leases without --file-locks; crimg restore gives it", async () => {
  const { work, images } = placesFor("locks");
  const live = await startProgram("locks", work);
  const locks = locksOf(live.pid);
  assert.is(locks.length, 12);
  await dump(live.pid, images, live.options.dump);
  await restore(images);
  assert.equal(locksOf(live.pid), []);
  await kill(live);

  await succeeds("restore", images, "--detach");
  assert.equal(locksOf(live.pid), locks);
  await goesOn(live.log);
  await kill(live);
});

/** Asks for SIGKILL when its parent ends, prctl(2) PR_SET_PDEATHSIG. */
const DIES_WITH_PARENT = `
import ctypes, time
ctypes.CDLL(None).prctl(1, 9)
open("ready", "w")
while True:
    time.sleep(0.05)
`;

faults(
  "a task that dies with its parent dies with criu; crimg warns, and its mend keeps it alive",
  async () => {
    const { work, images } = placesFor("death-signal");
    const live = await start(["/usr/bin/python3", "-c", DIES_WITH_PARENT], { cwd: work });
    await until("it to be ready", () => existsSync(join(work, "ready")));
    await dump(live.pid, images);
    const warned = await crimg(["restore", images, "--detach"]);
    assert.is(warned.code, 0);
    assert.match(warned.stderr, /^warning: DEATH_SIGNAL: .*signal when the parent ends/m);
    await until("it to have died with criu", () => statOf(live.pid) === undefined);

    const { findings } = await findingsOf(images);
    const fix = findings.find(({ id }) => id === "DEATH_SIGNAL")?.fix ?? "";
    const [, edit = ""] = /--set '([^']+)'/.exec(fix) ?? [];
    assert.match(edit, /thread_core\.pdeath_sig=0$/);
    const mended = await succeeds("restore", images, "--set", edit, "--detach");
    assert.not.match(mended.stderr, /DEATH_SIGNAL/);
    // As long as it took to die before, and more.
    for (
      const end = Date.now() + 1000;
      Date.now() < end;
      await new Promise((resolve) => setTimeout(resolve, 50))
    )
      assert.match(statOf(live.pid)?.state ?? "", /[RS]/);
    await kill(live);
  },
);

faults(
  "criu dumps a program that runs from a memory file, and cannot restore it: crimg names it, and says so",
  async () => {
    const { work, images } = placesFor("hidden");
    const live = await startProgram("hidden", work);
    assert.is(readlinkSync(`/proc/${live.pid}/exe`), "/memfd:hidden (deleted)");
    await dump(live.pid, images, live.options.dump);
    const { stdout } = await succeeds("show", images);
    assert.match(stdout.replace(/\n +/g, " "), /^PROGRAM +\[\d+\] .*; program memfd:hidden; in /m);
    assert.match(
      (await succeeds("show", images, "files")).stdout,
      new RegExp(` ${live.pid}:exe +memfd:hidden$`, "m"),
    );
    const { findings } = await findingsOf(images);
    assert.equal(idsOf(findings, "error"), ["EXE_MEMFD"]);
    const refused = await crimg(["restore", images, "--detach"]);
    assert.is(refused.code, 1);
    assert.match(refused.stderr + refused.stdout, /EXE_MEMFD: the program runs from a memory file/);
    const tried = await crimg(["restore", images, "--detach", "--force"]);
    assert.is(tried.code, 1);
    assert.match(tried.stderr + tried.stdout, /a program that runs from a memory file/);
  },
);

faults.run();
