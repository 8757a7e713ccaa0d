/** What the slim backend does not save and warns about: one warning of each kind, however many tasks it concerns. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory, goesOn, progress, startProgram, statOf, until } from "../helpers/live.js";
import { needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("warnings of slim", {}, 90);
const dir = freshDirectory("slim-warnings");

slim.before(needsSlim);
slim.after(cleanUp);

interface Written {
  readonly remarks: readonly { readonly pid: number; readonly text: string }[];
}

async function begun(name: string): ReturnType<typeof startProgram> {
  const work = join(dir, name);
  mkdirSync(work);
  const live = await startProgram(name, work);
  await goesOn(live.log, 2);
  return live;
}

slim("what the image does not hold is warned about, many tasks in one sentence", async () => {
  const live = await begun("warnings");
  const { pid } = live;
  const log = readFileSync(live.log, "utf8");
  const told = (word: string): number => Number(new RegExp(`^${word} (-?\\d+)$`, "m").exec(log)?.[1]);
  const image = join(dir, "warnings.ckpt");

  const { code, json } = await crimgJson(["checkpoint", String(pid), "-R", "-o", image]);
  assert.is(code, 0);
  const { remarks } = json as Written;
  const text = remarks.map((remark) => remark.text).join("\n");
  const many = `tasks ${pid}, \\d+, \\d+ and 3 more`;
  const expected: readonly (readonly [isGiven: boolean, line: RegExp])[] = [
    [told("cpu") >= 0, new RegExp(`^${many}: CPU affinity \\(${told("cpu")}\\) is not saved`, "m")],
    [told("ioprio") >= 0, new RegExp(`^${many}: I/O priority \\(idle\\) is not saved`, "m")],
    [true, new RegExp(`^${many}: timer slack \\(12345 ns\\) is not saved`, "m")],
    [true, new RegExp(`^task ${pid}: SCHED_RESET_ON_FORK is not saved`, "m")],
    [told("sealed") >= 0, new RegExp(`^task ${pid}: memory sealed by mseal`, "m")],
    [told("loginuid") >= 0, new RegExp(`^task ${pid}: login uid \\(54321\\) is not restored`, "m")],
    [told("core") >= 0, new RegExp(`^task ${told("core")}: core dump flag`, "m")],
    [true, /^tasks \d+, \d+, \d+ and 2 more: elapsed timeout of epoll_wait is not saved/m],
    [true, new RegExp(`^task ${pid}: SO_PEERCRED of unix sockets`, "m")],
  ];
  for (const [isGiven, line] of expected) assert.is(line.test(text), isGiven, `${line}\n${text}`);
  assert.is(remarks.length, expected.filter(([isGiven]) => isGiven).length, text);
  assert.ok(remarks.every((remark) => statOf(remark.pid) !== undefined));

  const again = await crimg(["checkpoint", String(pid), "--force", "-o", image]);
  assert.is(again.code, 0, again.stderr);
  for (const remark of remarks) assert.ok(again.stderr.includes(`warning: ${remark.text}\n`), again.stderr);
  await until("the end of the program", () => (statOf(pid)?.state ?? "Z") === "Z");
  await restored(image);
  await goesOn(live.log, 5);
  assert.equal(progress(live.log).failures, []);
});

slim("a program that loses nothing causes no warning", async () => {
  const live = await begun("logger");
  const { pid } = live;
  const { code, json } = await crimgJson(["checkpoint", String(pid), "-R", "-o", join(dir, "logger.ckpt")]);
  assert.is(code, 0);
  assert.equal((json as Written).remarks, []);
});

slim.run();
