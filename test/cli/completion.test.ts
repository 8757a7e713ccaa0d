import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const test = suite("cli completion", { bash: "", zsh: "", fish: "" });

test.before(async (scripts) => {
  for (const shell of ["bash", "zsh", "fish"] as const)
    scripts[shell] = (await crimg(["completion", shell])).stdout;
});

/** What bash offers for the last of these words. */
function offered(script: string, ...words: string[]): string[] {
  const ask = `${script}\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _crimg; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", ask, "bash", ...words], { encoding: "utf8" });
  assert.is(stderr, "");
  return stdout.split("\n").filter(Boolean);
}

test("bash completes commands", ({ bash }) => {
  assert.equal(offered(bash, "crimg", "compl"), ["completion"]);
  assert.equal(offered(bash, "crimg", "help", "compl"), ["completion"]);
  assert.ok(offered(bash, "crimg", "").includes("help"));
});

test("bash completes flags, their values, and fixed arguments", ({ bash }) => {
  assert.equal(offered(bash, "crimg", "completion", "--js"), ["--json"]);
  assert.equal(offered(bash, "crimg", "completion", "--color", "n"), ["never"]);
  assert.equal(offered(bash, "crimg", "completion", "z"), ["zsh"]);
  assert.equal(offered(bash, "crimg", "rec"), ["recover"]);
  assert.equal(offered(bash, "crimg", "recover", "--fo"), ["--force"]);
});

test("bash leaves file names to itself", ({ bash }) => {
  assert.equal(offered(bash, "crimg", "completion", "--images-dir", ""), []);
});

test("zsh and fish know every command and flag", ({ zsh, fish }) => {
  for (const text of [zsh, fish]) assert.match(text, /completion.*print a completion script for a shell/);
  assert.match(zsh, /--images-dir\[/);
  assert.match(fish, /-l images-dir -s D -r/);
  assert.match(fish, /-x -a 'auto never always'/);
});

test("the script is JSON too", async ({ fish }) => {
  const { stdout } = await crimg(["completion", "fish", "--json"]);
  assert.equal(JSON.parse(stdout), { schema: "crimg/1", command: "completion", shell: "fish", script: fish });
});

test.run();
