import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { CRIMG, crimg, crimgJson } from "../helpers/cli.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOGGER = "fixtures/criu/logger";
const pkg = JSON.parse(readFileSync(fileURLToPath(new URL("../../package.json", import.meta.url)), "utf8"));
const test = suite("cli basics");

for (const flag of ["--version", "-V", "-v"]) {
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

test("an example of a help can be pasted: no line is broken within quotes", async () => {
  const { commands } = JSON.parse(readFileSync(join(ROOT, "oclif.manifest.json"), "utf8"));
  for (const id of Object.keys(commands)) {
    const { stdout } = await crimg([id, "--help"]);
    for (const line of stdout.split("\n").filter((each) => each.endsWith("\\")))
      for (const quote of ["'", '"']) assert.is(line.split(quote).length % 2, 1, line);
  }
});

for (const before of [["--json"], ["-D", LOGGER], [`-D${LOGGER}`], ["--images-dir", LOGGER, "--json", "-v"]])
  test(`global flags may stand before the command: ${before.join(" ")}`, async () => {
    const after = before.includes("--json") && before.length === 1 ? [LOGGER] : [];
    const first = await crimg([...before, "show", ...after, "fds"], { cwd: ROOT });
    const last = await crimg(["show", ...after, "fds", ...before], { cwd: ROOT });
    assert.equal([first.code, first.stdout], [0, last.stdout]);
    assert.ok(first.stdout.includes("/dev/null"));
  });

test("global flags alone tell that a command is missing", async () => {
  const { code, stdout } = await crimg(["--json", "-v"]);
  assert.match(stdout, /^ {2}completion {2}/m);
  assert.is(code, 0);
});

for (const [what, lines] of [
  ["one line of a short answer", "fixtures/criu/logger fixtures/criu/locks"],
  ["one line of a long answer", "--pages fixtures/criu/logger fixtures/criu/tree"],
])
  test(`diff read to ${what} ends with 1 and in silence`, () => {
    const script = `"$0" "$1" diff ${lines} | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, CRIMG], {
      encoding: "utf8",
      cwd: ROOT,
    });
    assert.equal([stdout, stderr], ["1\n", ""]);
  });

for (const [what, args, sentence] of [
  ["an unknown command", ["nope"], 'error: unknown command "nope"; see crimg --help\n'],
  [
    "an unknown flag",
    ["completion", "bash", "--nope"],
    "error: nonexistent flag: --nope; see crimg completion --help\n",
  ],
  ["a missing argument", ["completion"], /^error: missing SHELL \(.*\); see crimg completion --help\n$/],
  [
    "one of two arguments",
    ["diff", "fixtures/criu/logger"],
    "error: missing NEW (image directory or linux-cr stream to compare it with); see crimg diff --help\n",
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

test("diff tells registers last, and counts those of vectors unless they are asked for", async () => {
  const diff = (...flags: string[]) =>
    crimg(["diff", "fixtures/criu/logger", "fixtures/criu/locks", "--match-by", "tree", ...flags], {
      cwd: ROOT,
    });
  const { stdout } = await diff();
  assert.equal(stdout.match(/^[A-Z]+$/gm)?.slice(-3), ["RECORDS", "MEMORY", "REGISTERS"]);
  assert.match(
    stdout,
    /REGISTERS\n {2}~ task 1000 \(and \d+ registers of vectors or floating point\)\n {6}r15 0x/,
  );
  assert.not.match(stdout, /^ {6}[xyz]mm\d/m);
  const { stdout: all } = await diff("--only", "registers");
  assert.match(all, /^ {2}~ task 1000\n/m);
  assert.match(all, /^ {6}xmm1 0x/m);
  const { stdout: bytes } = await diff("--only", "memory", "--bytes");
  assert.match(bytes, /pages: .* changed.*\n {6}0x[0-9a-f]+ [0-9a-f]+ -> [0-9a-f]+\n/);
});

test("the path of the image has one key in JSON, and times are in nanoseconds", async () => {
  const set = "fixtures/criu/logger";
  for (const args of [
    ["log", set],
    ["edit", set, "--comm", "1000=x", "--dry-run"],
    ["validate", set],
  ]) {
    const { json } = await crimgJson(args, { cwd: ROOT });
    assert.is((json as { image?: string }).image, set, args[0]);
  }
  for (const command of ["info", "dump"]) {
    const { json } = await crimgJson([command, `${set}/pstree.img`], { cwd: ROOT });
    assert.is((json as { image?: string }).image, `${set}/pstree.img`, command);
  }
  const { json } = await crimgJson(["show", set], { cwd: ROOT });
  const { checkpoint } = json as { checkpoint: Record<string, number> };
  assert.is(checkpoint.frozenNs, (checkpoint.frozen ?? 0) * 1000);
  assert.is(checkpoint.uptimeNs, checkpoint.uptime);
});

test.run();
