import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../../helpers/suite.js";

const PROGRAM = fileURLToPath(new URL("base-command.program.ts", import.meta.url));
const test = suite("src/cli/base-command");

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function probe(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  return spawnSync(process.execPath, ["--import", "tsx", PROGRAM, ...args], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
}

const answerOf = ({ stdout }: Run) => JSON.parse(stdout);

test("the image is the first argument, or comes from -D and frees the place", () => {
  for (const args of [
    ["dir", "w"],
    ["-D", "dir", "w"],
    ["-Ddir", "w"],
    ["w", "--images-dir=dir"],
    ["-vD", "dir", "w"],
  ]) {
    const { image, word } = answerOf(probe(args));
    assert.equal([image, word], ["dir", "w"], args.join(" "));
  }
});

test("without an image the sentence says how to name one", () => {
  const { status, stderr } = probe([]);
  assert.equal([status, stderr], [2, "error: missing IMG: crimg probe IMG, or -D DIR\n"]);
});

test("a repeatable flag leaves the argument behind it alone", () => {
  const { set, image, word } = answerOf(probe(["--set", "a=1", "--set", "b=2", "dir", "w"]));
  assert.equal([set, image, word], [["a=1", "b=2"], "dir", "w"]);
});

test("an answer of no is exit code 1 without a word", () => {
  const { status, stdout, stderr } = probe(["dir", "no"]);
  assert.equal([status, stdout, stderr], [1, "", ""]);
});

test("an error of the library is one sentence, safe for a terminal", () => {
  const { status, stdout, stderr } = probe(["dir", "format"]);
  assert.is(stderr, "error: a.img: bad \\x1b[31m magic (in [0].x, at offset 0x4)\n");
  assert.equal([status, stdout], [2, ""]);
});

test("under --json the error is an answer too, with its code and place", () => {
  const run = probe(["dir", "format", "--json"]);
  const { schema, command, error } = answerOf(run);
  assert.equal([run.status, schema, command], [2, "crimg/1", "probe"]);
  assert.equal([error.code, error.file, error.offset, error.path], ["INVALID", "a.img", 4, "[0].x"]);
  assert.match(run.stderr, /^error: a\.img/);
});

test("an error after a part of the answer does not start a second document", () => {
  const { status, stdout, stderr } = probe(["dir", "late", "--json"]);
  assert.is(stdout.trim(), "{");
  assert.equal([status, stderr], [2, "error: ends here\n"]);
});

test("a fault of crimg is one sentence that asks for a report; CRIMG_DEBUG=1 shows where", () => {
  const short = probe(["dir", "bug"], { CRIMG_DEBUG: "" });
  assert.match(
    short.stderr,
    /^error: internal error: TypeError: x is not a function; .*please report it.*\n$/,
  );
  assert.is(short.status, 2);
  assert.match(probe(["dir", "bug"], { CRIMG_DEBUG: "1" }).stderr, /\n {4}at .*base-command\.program/);
});

test("an error of the system that nobody translated is still one sentence", () => {
  const { status, stderr } = probe(["dir", "errno"]);
  assert.match(stderr, /^error: ENOENT: [^\n]*\n$/);
  assert.is(status, 2);
});

test("warnings and details go to stderr, escaped", () => {
  const { stderr } = probe(["dir", "warn", "-v"]);
  assert.is(stderr, "warning: careful\\x07\nmore\n");
});

test("a reader that goes away ends a long answer silently", () => {
  const script = `"$0" --import tsx "$1" dir flood | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, process.execPath, PROGRAM], {
    encoding: "utf8",
  });
  assert.equal([stdout, stderr], ["line 0\n0\n", ""]);
});

test("--color always colours, also into a pipe", () => {
  assert.ok(probe(["dir", "format", "--color", "always"]).stderr.startsWith("\u001b["));
});

test.run();
