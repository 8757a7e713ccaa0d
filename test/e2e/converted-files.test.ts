/** Descriptors of every kind, and System V objects, go into a linux-cr stream and back into a set that CRIU restores: the program finds all of them as they were. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Loss } from "../../src/model/loss.js";
import { openDocument } from "../../src/open.js";
import { planConversion } from "../../src/ops/convert/convert.js";
import { writeConversion } from "../../src/ops/convert/write.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import { openBy, placesFor } from "../helpers/journey.js";
import { cleanUp, goesOn, kill, type Live, progress, start, startProgram, treeOf } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const files = suite("converted files of every kind", undefined, 120);
files.before(() => {
  needCriu();
});
files.after(cleanUp);

function convert(from: string, to: string): readonly Loss[] {
  const document = openDocument(from);
  try {
    const conversion = planConversion(document);
    writeConversion(conversion, to, false, () => {});
    return conversion.losses;
  } finally {
    document.close();
  }
}

files(
  "sockets, queues, locks, terminals, deleted and memory files, System V objects are as they were",
  async () => {
    const { work, images } = placesFor("converted-endpoints");
    const [stream, again] = [join(images, "../stream.ckpt"), join(images, "../again")];
    const live = await startProgram("endpoints", work);
    await goesOn(live.log, 2);
    const open = openBy(treeOf(live.pid));
    await dump(live.pid, images, live.options.dump);
    assert.equal(convert(images, stream), []);
    assert.equal(convert(stream, again), []);
    const [before, after] = [openDocument(images), openDocument(again)];
    const { differences, memory } = diffCheckpoints(before, after);
    before.close();
    after.close();
    assert.equal(differences, []);
    assert.equal(memory, []);
    rmSync(images, { recursive: true });
    await restore(again, live.options.restore);
    await goesOn(live.log, 10);
    assert.equal(progress(live.log).failures, []);
    assert.equal(openBy(treeOf(live.pid)), open);
    await kill(live);
  },
);

/** Runs a command as the leader of a session on a new terminal, whose other end is held by a process outside of it. */
function onTerminal(...command: string[]): Promise<Live> {
  const spawn = "import pty, sys; pty.spawn(sys.argv[1:])";
  return start(["/usr/bin/python3", "-c", spawn, ...command], { cwd: "/" });
}

files("a shell whose terminal is outside of the set goes on with another terminal", async () => {
  const { work, images } = placesFor("converted-shell");
  const [stream, again] = [join(images, "../stream.ckpt"), join(images, "../again")];
  const log = join(work, "log");
  const loop = `for ((i = 1;; i++)); do echo "tick $i ok" >>${log}; test -t 0 && read -t 0.05; done`;
  const outside = await onTerminal("/bin/bash", "--norc", "-c", `exec >${log}; ${loop}`);
  await goesOn(log, 2);
  const shell = treeOf(outside.pid).at(-1) as number;
  await dump(shell, images, ["--shell-job"]);
  assert.equal(convert(images, stream), []);
  assert.equal(convert(stream, again), []);
  await kill(outside);
  const ticks = progress(log).ticks;
  const command = ["restore", "--images-dir", again, "--shell-job", "--log-file", join(work, "restore.log")];
  const restored = await onTerminal(needCriu(), ...command);
  await goesOn(log, 5);
  assert.ok(progress(log).ticks > ticks);
  assert.ok(treeOf(restored.pid).includes(shell));
  await kill(restored);
});

files.run();
