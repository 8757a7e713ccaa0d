// `crimg example`, and the examples of every help, as a user pastes them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { freshDirectory } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { suite } from "../helpers/suite.js";

const test = suite("examples", undefined, 60);
const MANIFEST = fileURLToPath(new URL("../../oclif.manifest.json", import.meta.url));
/** These end with 1: the images differ, or cannot be restored on this machine. */
const ANSWERS_NO = /^crimg (diff|check|validate \S+ --root|restore .*--dry-run)/;

/** Whether these do depends on the machine and the user. */
const DEPENDS = /--host host\.json$/;

interface Example {
  readonly command: string;
}

/** Examples about the images that `crimg example` writes, as help prints them. */
function examples(): string[] {
  const { commands } = JSON.parse(readFileSync(MANIFEST, "utf8")) as {
    commands: Record<string, { id: string; examples?: readonly (string | Example)[] }>;
  };
  return Object.values(commands).flatMap(({ id, examples = [] }) =>
    examples
      .map((each) => (typeof each === "string" ? each : each.command))
      .map((each) => each.replaceAll("<%= config.bin %>", "crimg").replaceAll("<%= command.id %>", id))
      .filter((each) => each.includes("example/") && id !== "example"),
  );
}

test("example writes images that others commands read", async () => {
  const cwd = freshDirectory("example");
  const { code, stdout, stderr } = await crimg(["example"], { cwd });
  assert.equal([code, stdout, stderr], [0, "wrote example: logger, locks, minimal.ckpt\n", ""]);
  assert.is(statSync(join(cwd, "example")).mode & 0o777, 0o700);
  for (const image of ["logger", "locks", "minimal.ckpt"])
    assert.is((await crimg(["validate", join("example", image)], { cwd })).code, 0, image);
  assert.is((await crimg(["example"], { cwd })).code, 2, "nothing is replaced");
  const named = await crimgJson(["example", "elsewhere"], { cwd });
  assert.equal((named.json as { directory: string }).directory, "elsewhere");
  assert.ok(existsSync(join(cwd, "elsewhere/minimal.ckpt")));
});

test("the examples of every help work as pasted", async () => {
  const all = examples().filter((example) => !example.includes("jq"));
  assert.ok(all.length > 20, `${all.length} examples`);
  await work(all);
});

test("the examples with jq work as pasted", async () => {
  needs("jq");
  const all = examples().filter((example) => example.includes("jq"));
  assert.ok(all.length > 0);
  await work(all);
});

async function work(all: readonly string[]): Promise<void> {
  const cwd = freshDirectory("example");
  assert.is((await crimg(["example"], { cwd })).code, 0);
  for (const example of all) {
    const run = spawnSync(
      "bash",
      ["-c", `crimg() { "${process.execPath}" "${CRIMG}" "$@"; }\n${example.replaceAll("/tmp/", "./")}`],
      { cwd, encoding: "utf8", env: { ...process.env, CRIMG_OWNER: "0", NO_COLOR: "1" } },
    );
    const expected = DEPENDS.test(example) ? [0, 1] : [ANSWERS_NO.test(example) ? 1 : 0];
    assert.ok(expected.includes(run.status ?? -1), `${example}: ${run.status}: ${run.stderr}`);
    assert.ok(run.stdout.length > 0 || / -o /.test(example) || /cmp|convert|jq/.test(example), example);
  }
}

test.run();
