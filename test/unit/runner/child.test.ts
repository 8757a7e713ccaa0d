import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cleanUp, freshDirectory } from "../../helpers/live.js";
import { TIMES } from "../../helpers/seed.js";
import { type Report, suite } from "../../helpers/suite.js";
import { runJob } from "../../runner/child.js";
import { type Job, ROOT } from "../../runner/jobs.js";

const test = suite("a job in a process of its own");
test.after(cleanUp);

const HEAD = `import { skip, suite } from ${JSON.stringify(join(ROOT, "test/helpers/suite.ts"))};
const test = suite("child");
`;

interface Ended {
  readonly report: Report;
  readonly printed: string;
  readonly milliseconds: number;
}

/** Runs a test file with these lines behind the making of a suite `test`. */
async function ran(lines: string, job: Partial<Job> = {}, head = HEAD): Promise<Ended> {
  const directory = freshDirectory("child");
  const file = join(directory, "child.test.mts");
  writeFileSync(file, head + lines);
  const printed: Buffer[] = [];
  const started = performance.now();
  const report = await runJob(
    { name: "job", files: [file], runs: "cpu", opensTerminals: false, seconds: 60, ...job },
    join(directory, "report.json"),
    (text) => printed.push(text),
  );
  const milliseconds = performance.now() - started;
  return { report, printed: Buffer.concat(printed).toString(), milliseconds };
}

test("it tells what passed, failed and was skipped, and prints why", async () => {
  const { report, printed } = await ran(`
    test("good", () => {});
    test("bad", () => { throw new Error("because of this"); });
    test("left out", () => skip("no moon", "moon"));
    test.run();`);
  assert.equal(report, {
    passed: 1,
    failed: ["child: bad"],
    skipped: [{ test: "child: left out", reason: "no moon", want: "moon" }],
  });
  assert.match(printed, /because of this/);
  assert.match(printed, /skipped "left out": no moon/);
});

test("a child that is killed is a failure, whatever passed before", async () => {
  const { report } = await ran(`
    test("good", () => {});
    test("dies", () => { process.kill(process.pid, "SIGKILL"); });
    test.run();`);
  assert.equal(report, { passed: 0, failed: ["job: ended with SIGKILL"], skipped: [] });
});

test("a child that exits in the middle fails with the tests that never ran", async () => {
  for (const code of [0, 3]) {
    const { report } = await ran(`
      test("leaves", () => process.exit(${code}));
      test("never", () => {});
      test.run();`);
    assert.ok(
      report.failed.some((name) => name.includes('"never"')),
      JSON.stringify(report),
    );
  }
});

test("a child that reports nothing is a failure: no suite, no program, a file that does not load", async () => {
  const silent = await ran("process.reallyExit(0);", {}, "");
  assert.equal(silent.report.failed, ["job: ended with exit code 0"]);
  const empty = await ran("export {};", {}, "");
  assert.ok(empty.report.failed.length > 0);
  assert.match(empty.printed, /starts no suite/);
  const broken = await ran("this is no program", {}, "");
  assert.ok(broken.report.failed.length > 0);
  assert.match(broken.printed, /FAIL .*child\.test\.mts/);
  const none = await ran("", { files: [] });
  assert.ok(none.report.failed.length > 0);
});

test("a report that is cut counts as none", async () => {
  const { report } = await ran(`
    import fs from "node:fs";
    test("cuts it", () => {});
    process.on("exit", () => { fs.writeFileSync(process.env.CRIMG_TEST_REPORT, '{"passed": 1,'); });
    test.run();`);
  assert.equal(report, { passed: 0, failed: ["job: ended with exit code 0"], skipped: [] });
});

test("a test that awaits what never comes is a failure", async () => {
  const { report } = await ran(
    `
    test("waits for nobody", () => new Promise(() => {}));
    test("never", () => {});
    test.run();`,
    {},
    HEAD.replace('suite("child")', 'suite("child", {}, 1)'),
  );
  assert.ok(report.failed.includes("child: waits for nobody"), JSON.stringify(report));
});

test("a child that hangs past its time is killed with all that it started", async () => {
  const pidFile = join(freshDirectory("pid"), "pid");
  const { report, printed, milliseconds } = await ran(
    `import { spawn } from "node:child_process";
    import fs from "node:fs";
    test("hangs", () => {
      fs.writeFileSync(${JSON.stringify(pidFile)}, String(spawn("sleep", ["600"]).pid));
      for (;;);
    });
    test.run();`,
    { seconds: 5 },
  );
  assert.equal(report.failed, ["job: ended with SIGKILL"]);
  assert.match(printed, new RegExp(`FAIL job: still running after ${5 * TIMES} s, killed`));
  assert.ok(milliseconds < 5000 * TIMES + 10_000, `${milliseconds} ms`);
  const pid = execFileSync("cat", [pidFile], { encoding: "utf8" });
  const { stdout } = spawnSync("cat", [`/proc/${pid}/stat`], { encoding: "utf8" });
  assert.ok(stdout === "" || / [ZX] /.test(stdout), stdout);
});

test("what a child leaves behind, holding its output, does not hold up the run", async () => {
  const { report, milliseconds } = await ran(`
    import { spawn } from "node:child_process";
    test("leaves one behind", () => {
      spawn("sleep", ["20"], { detached: true, stdio: "inherit" }).unref();
    });
    test.run();`);
  assert.equal(report, { passed: 1, failed: [], skipped: [] });
  assert.ok(milliseconds < 15_000, `${milliseconds} ms`);
});

test("all that a child printed is there, also what it printed last", async () => {
  const lines = 5000;
  const { printed } = await ran(`
    import fs from "node:fs";
    test("talks", () => {});
    const say = (text) => {
      try {
        fs.writeSync(1, text);
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        say(text);
      }
    };
    process.on("exit", () => {
      for (let i = 1; i <= ${lines}; i++) say("line " + i + " of many\\n");
    });
    test.run();`);
  assert.is(printed.match(/^line \d+ of many$/gm)?.length, lines);
});

test("a job that waits runs apart where that is allowed, and tells as much", async () => {
  const { report, printed } = await ran(
    `import fs from "node:fs";
    test("is", () => { console.log("pids", fs.readdirSync("/proc").filter((name) => /^\\\\d+$/.test(name)).length); });
    test("fails", () => { throw new Error("no"); });
    test.run();`,
    { runs: "waits" },
  );
  assert.equal(report, { passed: 1, failed: ["child: fails"], skipped: [] });
  const isAllowed = process.getuid?.() === 0 && spawnSync("unshare", ["--pid", "--ipc", "true"]).status === 0;
  const count = Number(/pids (\d+)/.exec(printed)?.[1]);
  if (isAllowed) assert.ok(count <= 4, printed);
});

test.run();
