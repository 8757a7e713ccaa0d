import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { ARCHITECTURES } from "../../src/formats/linux-cr/revisions.js";
import { type CliResult, crimg, crimgJson } from "../helpers/cli.js";
import { freshDirectory } from "../helpers/live.js";
import { richStream } from "../helpers/rich-stream.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

// What is worked out from the images needs no criu; test/e2e/restore.test.ts restores.
const env = { CRIMG_CRIU: "/nowhere/criu" };
const restore = (...args: readonly string[]): Promise<CliResult> =>
  crimg(["restore", "--backend", "criu", ...args], { cwd: ROOT, env });

const test = suite("crimg restore");

test("--print writes the command line of criu alone to stdout, the reasons to stderr", async () => {
  const { code, stdout, stderr } = await restore("fixtures/criu/locks", "--print");
  assert.is(code, 0);
  assert.is(stdout, "/nowhere/criu restore --images-dir fixtures/criu/locks --file-locks\n");
  assert.match(stderr, /^--file-locks {2}12 file locks; .* \(filelocks\.img\)\n {4}posix of 1000 on fd 4: /);
});

test("--print names criu by --criu, CRIMG_CRIU or plainly", async () => {
  const print = (args: readonly string[], criu: string): Promise<CliResult> =>
    crimg(["restore", "fixtures/criu/logger", "--print", ...args], { cwd: ROOT, env: { CRIMG_CRIU: criu } });
  assert.match((await print([], "")).stdout, /^criu restore /);
  assert.match((await print(["--criu", "/opt/my criu"], "")).stdout, /^'\/opt\/my criu' restore /);
});

test("options behind -- come last and replace those that crimg works out", async () => {
  const { stdout } = await restore(
    "fixtures/criu/sockets",
    "--print",
    "--detach",
    "--pidfile",
    "/run/x",
    "--",
    "--tcp-close",
  );
  assert.is(
    stdout,
    "/nowhere/criu restore --images-dir fixtures/criu/sockets --restore-detached --pidfile /run/x --tcp-close\n",
  );
  assert.match((await restore("fixtures/criu/sockets", "--print")).stdout, / --tcp-established\n$/);
});

test("options behind -- that crimg gives criu itself are refused", async () => {
  const { code, stderr } = await restore("fixtures/criu/logger", "--print", "--", "-D", "elsewhere");
  assert.is(code, 2);
  assert.match(stderr, /^error: -D cannot be passed to criu after --: give the image as IMG\n$/);
});

test("lazy pages: the daemon, its directory, and that it waits there", async () => {
  const home = freshDirectory("lazy");
  const set = join(home, "a set");
  cpSync(join(ROOT, "fixtures/criu/logger"), set, { recursive: true });
  await crimg(["edit", set, "--set", "pagemap-1000.img[1].flags=2", "--in-place"]);
  const daemon = `criu lazy-pages --images-dir '${set}' --work-dir`;
  const asked = await restore(set, "--print");
  assert.is(asked.code, 1);
  assert.ok(asked.stderr.includes(`${daemon} DIR --daemon --page-server --address SOURCE --port PORT`));
  assert.match(asked.stderr, /use -- --work-dir DIR$/m);
  const early = await restore(set, "--print", "--", "--work-dir", home);
  assert.is(early.code, 1);
  assert.match(early.stderr, /no lazy-pages daemon waits in .*; start it first: criu lazy-pages/);
  writeFileSync(join(home, "lazy-pages.socket"), "");
  for (const words of [["--work-dir", home], ["-W", home], [`--work-dir=${home}`]]) {
    const { code, stdout } = await restore(set, "--print", "--", ...words);
    assert.is(code, 0);
    assert.is(stdout, `/nowhere/criu restore --images-dir '${set}' --lazy-pages ${words.join(" ")}\n`);
  }
  const { stdout } = await crimg(["validate", set]);
  assert.ok(stdout.includes(`${daemon} DIR --daemon`), stdout);
  assert.match(stdout, /PAGEMAP_LAZY.*\n.*\n {4}crimg restore '.*a set' -- --work-dir DIR\n/);
});

test("--print for edits is refused, since the edited copy does not stay", async () => {
  const { code, stderr } = await restore("fixtures/criu/logger", "--print", "--remap-path", "/a=/b");
  assert.is(code, 2);
  assert.match(stderr, /make one with crimg edit -o DIR/);
});

test("what only a person can say is asked for, and taken", async () => {
  const asked = await restore("fixtures/criu/container", "--print");
  assert.is(asked.code, 1);
  assert.match(asked.stderr, /warning: root directory of the mount namespace.*; use --root DIR/);
  const given = await restore("fixtures/criu/container", "--print", "--root", "/mnt");
  assert.is(given.code, 0);
  assert.match(given.stdout, / --root \/mnt /);
});

test("a root for a set without mount namespace is refused with what to do instead", async () => {
  const { code, stderr } = await restore("fixtures/criu/logger", "--print", "--root", "/mnt");
  assert.is(code, 1);
  assert.match(stderr, /without a mount namespace; remap its paths with --remap-path \/OLD=\/mnt\/OLD/);
});

test("without a criu that works the answer is no", async () => {
  const { code, stdout, stderr } = await restore("fixtures/criu/logger", "--force");
  assert.is(code, 1);
  assert.is(stdout, "");
  assert.is(stderr, "/nowhere/criu is not an executable program\nnothing was started\n");
});

test("tasks of another architecture are refused, also with --force", async () => {
  const other = process.arch === "arm64" ? "X86_64" : "AARCH64";
  const { code, stdout } = await restore(
    "fixtures/criu/logger",
    "--set",
    `core-1000.img[0].mtype=${other}`,
    "--force",
    "--dry-run",
  );
  assert.is(code, 1);
  assert.match(stdout, /^1 change in a temporary copy of the image$/m);
  assert.match(stdout, /architecture of the tasks is (aarch64|x86_64) \(expected /);
});

test("a mend by an edit becomes the same restore with one more edit", async () => {
  const { code, stdout } = await restore("fixtures/criu/logger", "--comm", "1000=other", "--dry-run");
  assert.is(code, 1);
  assert.match(
    stdout,
    /^ {4}crimg restore fixtures\/criu\/logger --backend criu --comm 1000=other --remap-path \/\S+=NEWPATH$/m,
  );
});

test("a fix repeats all that was typed, in front of and behind --", async () => {
  const given = ["--remap-path", "/var/lib/crimg-demo=/srv/a b", "-d", "--lossy"];
  const { stdout } = await restore(
    ...["fixtures/criu/logger", "--set", "pstree.img[0].pid=1", ...given, "--dry-run"],
    ...["--", "--shell-job"],
  );
  const words =
    "fixtures/criu/logger --backend criu --set 'pstree.img[0].pid=1' --remap-path '/var/lib/crimg-demo=/srv/a b' --detach --lossy";
  const sorted = (text = ""): string[] => text.split(" --").sort();
  const [, taken] = /^ *(unshare --pid .* crimg restore .*)$/m.exec(stdout) ?? [];
  assert.equal(
    sorted(taken),
    sorted(`unshare --pid --fork --mount-proc crimg restore ${words} -- --shell-job`),
  );
  const [, moved] = /(crimg restore .*NEWPATH.*)$/m.exec(stdout) ?? [];
  assert.match(moved ?? "", / --remap-path '.+=NEWPATH' -- --shell-job$/);
});

test("the pre-flight does not check what criu is told not to check", async () => {
  const directory = freshDirectory("restore");
  const etc = join(directory, "logger/etc");
  mkdirSync(etc, { recursive: true });
  writeFileSync(join(etc, "logger.conf"), "x", { mode: 0o600 });
  const ids = async (...extra: string[]): Promise<string[]> => {
    const remap = ["--remap-path", `/var/lib/crimg-demo=${directory}`];
    const args = ["fixtures/criu/logger", "--dry-run", "--json", ...remap];
    const { stdout } = await restore(...args, ...(extra.length > 0 ? ["--", ...extra] : []));
    const { findings } = JSON.parse(stdout) as { findings: { id: string }[] };
    return findings.map(({ id }) => id);
  };
  assert.ok((await ids()).includes("FILE_MODE"));
  for (const extra of [["--skip-file-rwx-check"], ["--shell-job", "--skip-file-rwx-check"]]) {
    const left = await ids(...extra);
    assert.not(left.includes("FILE_MODE"));
    assert.ok(left.includes("FILE_SIZE"));
  }
});

test("--json tells options, command, findings and refusals in one object", async () => {
  const { code, json } = await crimgJson(
    ["restore", "fixtures/criu/locks", "--backend", "criu", "--dry-run"],
    { cwd: ROOT, env },
  );
  assert.is(code, 1);
  const answer = json as Record<string, unknown> & {
    options: { option: string; reason: string }[];
    findings: { id: string }[];
  };
  assert.is(answer.schema, "crimg/1");
  assert.is(answer.command, "restore");
  assert.equal(answer.criu, [
    "/nowhere/criu",
    "restore",
    "--images-dir",
    "fixtures/criu/locks",
    "--file-locks",
  ]);
  assert.equal(
    answer.options.map(({ option }) => option),
    ["--file-locks"],
  );
  assert.ok(answer.findings.some(({ id }) => id === "CRIU_MISSING"));
  assert.equal(answer.refusals, []);
});

const STREAM = "fixtures/linux-cr/minimal.ckpt";
const AS_SET = "fixtures/linux-cr/minimal.images";

test("--print of a stream says how it becomes a set, and what criu does with that", async () => {
  const { code, stdout } = await restore(STREAM, "--print");
  assert.is(code, 0);
  assert.is(stdout, `crimg convert ${STREAM} ${AS_SET} && /nowhere/criu restore --images-dir ${AS_SET}\n`);
});

test("a stream comes through stdin as well", async () => {
  const input = readFileSync(join(ROOT, STREAM));
  const { code, stdout } = await crimg(["restore", "-", "--print"], { cwd: ROOT, env, input });
  assert.is(code, 0);
  assert.is(stdout, "crimg convert - stdin.images && /nowhere/criu restore --images-dir stdin.images\n");
});

test("--json of a stream has the conversion and what a set cannot hold", async () => {
  const { json } = await crimgJson(["restore", STREAM, "--print"], { cwd: ROOT, env });
  const { convert, losses, refusals } = json as Record<string, unknown>;
  assert.equal(convert, ["crimg", "convert", STREAM, AS_SET]);
  assert.equal(losses, []);
  assert.equal(refusals, []);
});

test("a stream that a set cannot hold is refused, and restored with --lossy", async () => {
  const stream = join(freshDirectory("lossy"), "rich.ckpt");
  writeFileSync(stream, richStream({ commit: "5c3471a", arch: ARCHITECTURES.X86_64 }));
  const refused = await restore(stream, "--print");
  assert.is(refused.code, 1);
  assert.match(
    refused.stderr,
    /task 7: memory shared with another process would be lost: .*override with --lossy/,
  );
  const { code, stdout } = await restore(stream, "--print", "--lossy");
  assert.is(code, 0);
  assert.match(stdout, /^crimg convert .*rich\.ckpt .*rich\.images --lossy && /);
});

test("a stream that is cut off is refused with the place", async () => {
  const input = readFileSync(join(ROOT, STREAM)).subarray(0, 9000);
  const { code, stderr } = await crimg(["restore", "-", "--print"], { cwd: ROOT, env, input });
  assert.is(code, 2);
  assert.match(stderr, /^error: stdin: truncated: .* \(in \[\d+\], at offset 0x[0-9a-f]+\)\n$/);
});

test.run();
