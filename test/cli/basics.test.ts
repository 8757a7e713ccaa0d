import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const pkg = JSON.parse(readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"));
const test = suite("cli basics");

for (const flag of ["--version", "-V"]) {
  test(`${flag} tells the version`, async () => {
    const { code, stdout, stderr } = await crimg([flag]);
    assert.is(stdout, `crimg/${pkg.version} ${process.platform}-${process.arch} node-${process.version}\n`);
    assert.equal([code, stderr], [0, ""]);
  });
}

for (const args of [["--help"], ["-h"], ["help"], []]) {
  test(`"crimg ${args.join(" ")}" lists the commands`, async () => {
    const { code, stdout, stderr } = await crimg(args);
    assert.match(stdout, /^ {2}completion {2}/m);
    assert.equal([code, stderr], [0, ""]);
  });
}

test("help for a command has its usage, flags and examples", async () => {
  const long = await crimg(["completion", "--help"]);
  const short = await crimg(["help", "completion"]);
  assert.is(short.stdout, long.stdout);
  for (const head of ["USAGE", "ARGUMENTS", "GLOBAL FLAGS", "EXAMPLES"])
    assert.ok(long.stdout.includes(head), head);
});

for (const [what, args, sentence] of [
  ["an unknown command", ["nope"], 'error: unknown command "nope"; see crimg --help\n'],
  [
    "an unknown flag",
    ["completion", "bash", "--nope"],
    "error: nonexistent flag: --nope; see crimg completion --help\n",
  ],
  [
    "a missing argument",
    ["completion"],
    /^error: missing 1 required arg: SHELL .*; see crimg completion --help\n$/,
  ],
  [
    "a wrong choice",
    ["completion", "tcsh"],
    "error: expected tcsh to be one of: bash, zsh, fish; see crimg completion --help\n",
  ],
  [
    "one argument too many",
    ["completion", "bash", "b\u202e"],
    "error: unexpected argument: b\\u{202e}; see crimg completion --help\n",
  ],
] as const) {
  test(`${what} is one sentence and exit code 2`, async () => {
    const { code, stdout, stderr } = await crimg(args);
    if (typeof sentence === "string") assert.is(stderr, sentence);
    else assert.match(stderr, sentence);
    assert.equal([code, stdout], [2, ""]);
  });

  test(`${what} is JSON too under --json`, async () => {
    const { code, json } = await crimgJson(args);
    const { schema, error } = json as { schema: string; error: { code: string; message: string } };
    assert.equal([code, schema, error.code], [2, "crimg/1", "USAGE"]);
    assert.not.ok(error.message.includes("\n"));
  });
}

test("a reader that goes away ends the command silently", () => {
  const script = `"$0" "$1" completion bash | head -c 1`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, CRIMG], { encoding: "utf8" });
  assert.equal([stdout, stderr], ["#", ""]);
});

test("a full disk is told", () => {
  const script = `"$0" "$1" completion bash >/dev/full`;
  const { status, stderr } = spawnSync("bash", ["-c", script, process.execPath, CRIMG], { encoding: "utf8" });
  assert.is(status, 2);
  assert.is(stderr, "error: stdout: cannot write: no space left on the device (ENOSPC)\n");
});

test("a slow reader gets everything", async () => {
  const script = `"$0" "$1" completion zsh | (sleep 0.3; cat)`;
  const { stdout } = spawnSync("bash", ["-c", script, process.execPath, CRIMG], { encoding: "utf8" });
  assert.is(stdout, (await crimg(["completion", "zsh"])).stdout);
});

for (const [what, env] of [
  ["NO_COLOR", { NO_COLOR: "1" }],
  ["a pipe", {}],
] as const) {
  test(`no colour with ${what}`, async () => {
    const { stderr } = await crimg(["completion"], { env });
    assert.not.ok(stderr.includes("\u001b"));
  });
}

test("--color always colours a pipe, but not while the command line cannot be read", async () => {
  const { stderr } = await crimg(["completion", "bash", "--color", "always", "extra"]);
  assert.not.ok(stderr.includes("\u001b"));
});

test.run();
