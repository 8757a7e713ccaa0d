// What can be read of a damaged image is shown, the damage is named, and the exit status is 2.
import { cpSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CONTAINER_VIEWS, VIEWS } from "../../src/index.js";
import { crimg, crimgJson } from "../helpers/cli.js";
import { freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("damaged images", undefined, 60);
const TREE = fileURLToPath(new URL("../../fixtures/criu/tree", import.meta.url));

/** The tree with its images damaged. */
function damaged(...files: readonly string[]): string {
  const set = join(freshDirectory("damaged"), "set");
  cpSync(TREE, set, { recursive: true });
  for (const file of files) truncateSync(join(set, file), statSync(join(set, file)).size - 5);
  return set;
}

const warning = (file: string) =>
  new RegExp(`^warning: \\S*/${file.replaceAll(".", "\\.")}: truncated: `, "m");

/** A view, the damaged images that it reads, and a task or file that is in none of them. */
const CASES: readonly (readonly [view: string, files: readonly string[], shown: string])[] = [
  ["tree", ["core-1004.img"], "[1003] writer"],
  ["tree", ["core-1004.img", "core-1007.img"], "[1003] writer"],
  ["fds", ["core-1004.img"], "1003   cwd"],
  ["fds", ["fdinfo-3.img"], "1000   cwd"],
  ["files", ["core-1004.img"], "/dev/null"],
  ["files", ["mm-1003.img", "fs-1005.img"], "/dev/null"],
  ["maps", ["mm-1003.img"], "[1000] tree"],
  ["rss", ["pagemap-1003.img"], "[1000] tree"],
  ["ghosts", ["core-1004.img"], ""],
  ["pipes", ["core-1004.img"], "pipe"],
  ["sockets", ["core-1004.img"], ""],
  ["creds", ["core-1004.img"], "[1003] writer"],
  ["signals", ["core-1004.img"], "[1003] writer"],
  ["timers", ["core-1004.img"], ""],
  ["rlimits", ["core-1004.img"], "[1003] writer"],
  ["env", ["mm-1003.img"], "[1000] tree"],
  ["ns", ["ids-1004.img"], "pid"],
];

/** Views that read nothing of a stream. */
const OF_CONTAINERS: ReadonlySet<string> = new Set(CONTAINER_VIEWS);

for (const [view, files, shown] of CASES)
  test(`show ${view} with ${files.join(" and ")} cut off`, async () => {
    const set = damaged(...files);
    const { code, stdout, stderr } = await crimg(["show", set, view]);
    assert.is(code, 2, stderr);
    assert.ok(stdout.includes(shown), stdout);
    for (const file of files) assert.match(stderr, warning(file));
    const answer = await crimgJson(["show", set, view]);
    const { damage, error } = answer.json as { damage: { file: string; code: string }[]; error: unknown };
    assert.equal([answer.code, error], [2, undefined]);
    assert.equal(
      damage.map(({ code }) => code),
      files.map(() => "TRUNCATED"),
    );
  });

test("the view of a task that is whole is whole", async () => {
  const { code, stderr } = await crimg(["show", damaged("core-1004.img"), "fds", "-p", "1003"]);
  assert.equal([code, stderr], [0, ""]);
});

test("x, diff, find and the summary name the damage and give the rest", async () => {
  const set = damaged("core-1004.img");
  for (const args of [
    ["x", set, "ps"],
    ["diff", set, TREE],
    ["diff", TREE, set],
    ["find", set, "writer"],
    ["show", set],
  ]) {
    const { code, stdout, stderr } = await crimg(args);
    assert.is(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, warning("core-1004.img"));
    assert.ok(stdout.length > 0, args.join(" "));
  }
  assert.match((await crimg(["show", set])).stdout, /^TASKS {5}10\b/m);
});

test("a stream that was cut off is shown as far as it goes", async () => {
  const directory = freshDirectory("damaged");
  const whole = join(directory, "whole.ckpt");
  assert.is((await crimg(["convert", TREE, whole, "--lossy"])).code, 0);
  const bytes = readFileSync(whole);
  const cut = join(directory, "cut.ckpt");
  writeFileSync(cut, bytes.subarray(0, bytes.length - 1000));
  for (const view of Object.keys(VIEWS).filter((name) => !OF_CONTAINERS.has(name))) {
    const { code, stdout, stderr } = await crimg(["show", cut, view]);
    assert.is(code, 2, `${view}: ${stderr}`);
    assert.match(stderr, /^warning: \S*cut\.ckpt: truncated: /m);
    assert.ok(stdout.length > 0, view);
  }
});

test.run();
