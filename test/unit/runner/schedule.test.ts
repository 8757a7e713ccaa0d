import { spawn } from "node:child_process";
import { once } from "node:events";
import * as assert from "uvu/assert";
import { suite } from "../../helpers/suite.js";
import type { Job } from "../../runner/jobs.js";
import { runAll } from "../../runner/schedule.js";

const CORES = 2;
const test = suite("order of jobs");

const job = (runs: Job["runs"], number: number): Job => ({
  name: `${runs} ${number}`,
  files: [],
  runs,
  opensTerminals: false,
  seconds: 10,
});

const jobs = (cpu: number, waits: number, alone: number): Job[] =>
  Object.entries({ alone, cpu, waits }).flatMap(([runs, count]) =>
    Array.from({ length: count }, (_, i) => job(runs as Job["runs"], i)),
  );

/** Runs each job as a real process and gives, for each moment a job started, what was running then. */
async function observed(all: readonly Job[]): Promise<{ ended: Job[]; moments: Job[][] }> {
  const running = new Set<Job>();
  const ended: Job[] = [];
  const moments: Job[][] = [];
  await runAll(all, CORES, async (each) => {
    running.add(each);
    moments.push([...running]);
    await once(spawn("sleep", ["0.1"], { stdio: "ignore" }), "exit");
    running.delete(each);
    ended.push(each);
  });
  assert.is(running.size, 0);
  return { ended, moments };
}

const most = (moments: readonly Job[][], runs: Job["runs"]): number =>
  Math.max(...moments.map((moment) => moment.filter((each) => each.runs === runs).length));

test("each job runs once; those that must be alone come last and alone", async () => {
  const all = jobs(5, 5, 2);
  const { ended, moments } = await observed(all);
  assert.equal(new Set(ended), new Set(all));
  assert.is(ended.length, all.length);
  assert.equal(
    ended.slice(-2).map(({ runs }) => runs),
    ["alone", "alone"],
  );
  for (const moment of moments) if (moment.some(({ runs }) => runs === "alone")) assert.is(moment.length, 1);
});

test("no more busy jobs than cores run side by side, and no more than twice as many of all", async () => {
  const { moments } = await observed(jobs(6, 6, 0));
  assert.is(most(moments, "cpu"), CORES);
  assert.is(Math.max(...moments.map(({ length }) => length)), 2 * CORES);
});

test("jobs that wait fill what busy ones may not take", async () => {
  const { moments } = await observed(jobs(1, 8, 0));
  assert.is(Math.max(...moments.map(({ length }) => length)), 2 * CORES);
  assert.is(most((await observed(jobs(8, 0, 0))).moments, "cpu"), CORES);
});

test("jobs that open terminals run beside others, not beside each other", async () => {
  const all = jobs(4, 8, 0).map((each, i) => ({ ...each, opensTerminals: i % 2 === 0 }));
  const { ended, moments } = await observed(all);
  assert.is(ended.length, all.length);
  const counts = moments.map((moment) => moment.filter(({ opensTerminals }) => opensTerminals).length);
  assert.is(Math.max(...counts), 1);
  assert.ok(moments.some((moment, i) => counts[i] === 1 && moment.length > 1));
});

test("without jobs it ends at once, and a job that cannot be run ends it with its error", async () => {
  await runAll([], CORES, async () => assert.unreachable());
  for (const runs of ["cpu", "alone"] as const)
    try {
      await runAll([job(runs, 0), job("waits", 1)], CORES, async (each) => {
        if (each.runs === runs) throw new Error("no such program");
      });
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).message, "no such program");
    }
});

test.run();
