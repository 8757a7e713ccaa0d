/** A program comes back in the control groups of another job, as a batch system (Slurm) makes them. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as assert from "uvu/assert";
import { putIntoGroups, removeGroup } from "../helpers/control-groups.js";
import { dump, needCriu } from "../helpers/criu.js";
import { placesFor, succeeds } from "../helpers/journey.js";
import { cleanUp, goesOn, kill, start, startProgram } from "../helpers/live.js";
import { skip, suite } from "../helpers/suite.js";

const test = suite("control groups");
test.before(() => {
  needCriu();
});
test.after(cleanUp);

/** Of the controllers that have the group. */
function groupsOf(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
  return lines.map((line) => line.split(":").at(-1) ?? "").filter((group) => group.includes("/job_"));
}

test("--cgroup moves a program from the job that made its checkpoint to a new one", async () => {
  const { work, images } = placesFor("batch");
  const batch = `crimg-${basename(join(work, ".."))}`;
  const [old, now] = [`${batch}/uid_0/job_12`, `${batch}/uid_0/job_13`];
  const live = await startProgram("logger", work);
  const before = putIntoGroups(live.pid, `${old}/step_0/task_0`);
  if (before.length === 0) skip("no control group can be made here", "control groups");
  assert.is(groupsOf(live.pid).length, before.length);
  await dump(live.pid, images);
  for (const group of before) removeGroup(group);
  // The batch system has made the groups of the new job, and starts the restore in them.
  const leader = await start(["/bin/sleep", "600"], { cwd: "/" });
  putIntoGroups(leader.pid, `${now}/step_0/task_0`);
  await succeeds("restore", images, "--cgroup", `/${old}=/${now}`, "--detach");
  assert.equal(new Set(groupsOf(live.pid)), new Set([`/${now}/step_0/task_0`]));
  assert.is(groupsOf(live.pid).length, before.length);
  assert.equal(before.filter(existsSync), [], "the groups of the old job are not made again");
  await goesOn(live.log, 3);
  await kill(live);
  await kill(leader);
});

test.run();
