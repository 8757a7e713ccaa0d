import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { lastRunOf } from "../../../../src/backends/slim/proc/last-run.js";
import { cpusOf } from "../../../../src/backends/slim/sys/affinity.js";
import { skip, suite } from "../../../helpers/suite.js";

const test = suite("how long a thread sleeps");
test.before(() => {
  if (process.arch !== "x64") skip("the slim backend supports x86-64 only");
});

test("on whatever CPU it last ran, and this thread may run where it might before", async () => {
  const before = cpusOf(0);
  const cpus = Array.from({ length: before.length * 8 }, (_, cpu) => cpu).filter(
    (cpu) => ((before[cpu >> 3] as number) >> (cpu & 7)) & 1,
  );
  assert.ok(cpus.length > 0);
  const started = performance.now();
  const children = cpus.map((cpu) =>
    spawn("taskset", ["-c", String(cpu), "sleep", "60"], { stdio: "ignore" }),
  );
  try {
    await sleep(2000);
    for (const { pid = 0 } of children) {
      const now = performance.now();
      const slept = now - (lastRunOf(pid, pid) ?? Number.NaN);
      const passed = now - started;
      assert.ok(slept > passed - 1000 && slept < passed + 20, `${slept} of ${passed} ms`);
    }
    assert.equal(cpusOf(0), before);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => once(child, "exit")));
  }
});

test.run();
