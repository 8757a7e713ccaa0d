/** What tasks are besides their memory and files, through the slim backend: credentials, filters, stops, ends. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, goesOn, progress, startProgram, statOf, until } from "../helpers/live.js";
import { checkpointed, needsSlim, restored, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("tasks through slim", {}, 120);
const dir = freshDirectory("slim-tasks");

slim.before(needsSlim);
slim.after(cleanUp);

slim("attributes of tasks come back; a stopped one stays stopped until it is continued", async () => {
  const work = join(dir, "attributes");
  mkdirSync(work);
  const live = await survives("attributes", work, 2);
  const [, stopped] = /^stopped (\d+)$/m.exec(readFileSync(live.log, "utf8")) ?? [];
  const pid = Number(stopped);
  assert.is(statOf(pid)?.state, "T");
  process.kill(pid, "SIGCONT");
  await until("the stopped task to go on", () => statOf(pid)?.state === "S");
  await goesOn(live.log, 10);
  assert.equal(progress(live.log).failures, []);
});

slim("filters that one thread has for itself neither kill the task nor let a call fail", async () => {
  const work = join(dir, "filters");
  mkdirSync(work);
  const live = await startProgram("filters", work);
  await goesOn(live.log, 3);
  const { code, stdout, stderr } = await crimg([
    ...["checkpoint", String(live.pid), "--leave-running", "-o", join(dir, "running.ckpt")],
  ]);
  assert.is(code, 0, stdout + stderr);
  await goesOn(live.log, 3);
  // The program counts its mappings.
  assert.equal(progress(live.log).failures, []);
  const image = join(dir, "filters.ckpt");
  await checkpointed(live, image);
  await restored(image);
  await goesOn(live.log, 6);
  assert.equal(progress(live.log).failures, []);
});

slim("a stopped task that is sent SIGSTOP once more comes back stopped", async () => {
  const work = join(dir, "stopped");
  mkdirSync(work);
  const live = await startProgram("logger", work);
  await goesOn(live.log, 3);
  const image = join(dir, "stopped.ckpt");
  for (const signal of ["SIGSTOP", "SIGSTOP"] as const) {
    process.kill(live.pid, signal);
    await until("the stop", () => statOf(live.pid)?.state === "T");
  }
  await checkpointed(live, image);
  await restored(image);
  assert.is(statOf(live.pid)?.state, "T");
  process.kill(live.pid, "SIGCONT");
  await goesOn(live.log, 6);
  assert.equal(progress(live.log).failures, []);
});

slim.run();
