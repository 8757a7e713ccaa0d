import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg, plainEnvironment } from "../helpers/cli.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("several images");
test.after(cleanUp);

const [LOGGER, LOCKS, STREAM] = [fixture("logger"), fixture("locks"), streamFixture("minimal")];

async function jsonLines(
  args: readonly string[],
): Promise<{ code: number | null; lines: Record<string, unknown>[] }> {
  const { code, stdout } = await crimg([...args, "--json"]);
  return {
    code,
    lines: stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  };
}

function copies(count: number): { readonly directory: string; readonly images: string[] } {
  const directory = freshDirectory("many");
  const images = Array.from({ length: count }, (_, i) => join(directory, `rank-${i}`));
  for (const image of images) cpSync(LOGGER, image, { recursive: true });
  return { directory, images };
}

test("each is told below its name, in the order given, then a summary", async () => {
  const images = [LOCKS, LOGGER, STREAM, LOCKS];
  const alone = await Promise.all(images.map((image) => crimg(["validate", image])));
  const { code, stdout, stderr } = await crimg(["validate", ...images, "--jobs", "3"]);
  assert.equal([code, stderr], [0, ""]);
  const parts = images.map((image, i) => `${image}\n${alone[i]?.stdout}`);
  assert.is(stdout, `${parts.join("\n")}\n4 images: 4 valid\n`);
});

test("with --json a line for each, with the keys that it has alone", async () => {
  const { code, lines } = await jsonLines(["show", LOGGER, STREAM, "fds", "-p", "1000"]);
  assert.is(code, 1);
  const [logger, stream, last] = lines;
  const alone = JSON.parse((await crimg(["show", LOGGER, "fds", "-p", "1000", "--json"])).stdout);
  assert.equal(logger, { ...alone, image: LOGGER, exit: 0 });
  assert.equal(
    [stream?.image, stream?.exit, (stream?.error as { code?: string } | undefined)?.code],
    [STREAM, 1, "MISSING"],
  );
  assert.equal(last, {
    schema: "crimg/1",
    command: "show",
    summary: { images: 2, ok: 1, no: 1, trouble: 0 },
  });
});

test("of a view of a file in the set, file names it", async () => {
  const { lines } = await jsonLines(["show", LOGGER, LOCKS, "record", "inventory.img"]);
  assert.equal(
    lines.slice(0, 2).map(({ image, file, exit }) => [image, file, exit]),
    [LOGGER, LOCKS].map((image) => [image, "inventory.img", 0]),
  );
});

test("one that fails is told, the others go on, the exit status is the worst", async () => {
  const { images } = copies(4);
  truncateSync(join(images[1] as string, "core-1000.img"), 20);
  const missing = join(images[0] as string, "nothing");
  const { code, stdout, stderr } = await crimg([
    "info",
    ...images.map((image) => join(image, "core-1000.img")),
    missing,
  ]);
  assert.is(code, 2);
  assert.match(stdout, /\n5 images: 3 shown, 2 failed\n$/);
  assert.ok(
    stderr
      .split("\n")
      .filter(Boolean)
      .every((line) => line.startsWith(images[1] as string) || line.startsWith(missing)),
  );
  const verdicts = await jsonLines(["validate", ...images]);
  assert.equal(verdicts.lines.map(({ verdict }) => verdict).slice(0, 4), [
    "valid",
    "invalid",
    "valid",
    "valid",
  ]);
  assert.is(verdicts.code, 1);
});

test("flags whose value may be missing stay as they are", async () => {
  const args = ["--host", "--ignore", "PID_TAKEN"];
  const { lines } = await jsonLines(["validate", LOGGER, STREAM, ...args]);
  for (const [i, image] of [LOGGER, STREAM].entries()) {
    const alone = await crimg(["validate", image, ...args, "--json"]);
    assert.equal(lines[i], { ...JSON.parse(alone.stdout), exit: alone.code });
  }
});

test("find: the last word is the text", async () => {
  const { code, stdout, stderr } = await crimg(["find", LOGGER, STREAM, "/var/lib/crimg-demo/logger/bin"]);
  assert.is(code, 1);
  assert.match(stdout, /\/bin\/logger"\n\n.+minimal\.ckpt\n\n2 images: 1 with matches, 1 without\n$/);
  assert.match(stderr, /minimal\.ckpt: note: memory, contents of deleted files/);
});

test("--recursive takes the checkpoints below directories, not what links lead to", async () => {
  const { directory } = copies(2);
  mkdirSync(join(directory, "deep/er"), { recursive: true });
  cpSync(STREAM, join(directory, "deep/er/one.ckpt"));
  symlinkSync(LOCKS, join(directory, "link"));
  symlinkSync(STREAM, join(directory, "link.ckpt"));
  const { code, lines } = await jsonLines(["validate", "--recursive", directory]);
  assert.is(code, 0);
  assert.equal(
    lines.slice(0, -1).map(({ image }) => image),
    ["deep/er/one.ckpt", "rank-0", "rank-1"].map((name) => join(directory, name)),
  );
  const none = await crimg([
    "validate",
    "-r",
    join(directory, "deep/er", "..", "..", "rank-0", "..", "nothing"),
  ]);
  assert.equal([none.code, none.stdout], [2, ""]);
  const empty = freshDirectory("empty");
  const found = await crimg(["show", "-r", empty]);
  assert.equal([found.code, found.stderr], [1, `error: no checkpoints in ${empty}\n`]);
});

test("edit: each in place, as alone", async () => {
  const { images } = copies(20);
  const { code, lines } = await jsonLines(["edit", ...images, "--remap-path", "/var/lib=/srv", "--in-place"]);
  assert.is(code, 0);
  assert.equal(
    lines.slice(0, -1).map(({ image, exit }) => [image, exit]),
    images.map((image) => [image, 0]),
  );
  const [first, ...others] = images.map((image) => readFileSync(join(image, "files.img")));
  assert.ok(first?.includes("/srv/crimg-demo"));
  for (const other of others) assert.equal(other, first);
});

test("edit -o: each by its name in a private directory; the images stay", async () => {
  const { directory, images } = copies(3);
  const out = join(directory, "out/new");
  const before = readFileSync(join(images[0] as string, "files.img"));
  const edited = await crimg([
    "edit",
    ...images,
    STREAM,
    "--remap-path",
    "/var/lib=/srv",
    "-o",
    out,
    "--allow-unmatched",
  ]);
  assert.is(edited.code, 0, edited.stderr);
  assert.equal(
    readdirSync(out)
      .filter((name) => !name.endsWith(".crimg-log"))
      .sort(),
    ["minimal.ckpt", "rank-0", "rank-1", "rank-2"],
  );
  assert.is(statSync(out).mode & 0o777, 0o700);
  assert.equal(readFileSync(join(images[0] as string, "files.img")), before);
  assert.ok(readFileSync(join(out, "rank-2/files.img")).includes("/srv/crimg-demo"));
});

for (const [what, args, expected] of [
  ["stdin", ["validate", "-", LOGGER], /stdin \(-\) is one image/],
  ["stdout", ["edit", LOGGER, LOCKS, "--remap-path", "/a=/b", "-o", "-"], /stdout \(-\) takes one image/],
  ["a recipe on stdin", ["edit", LOGGER, LOCKS, "-f", "-", "--dry-run"], /--\S+ - is stdin/],
  [
    "two of one name",
    ["edit", LOGGER, `${LOGGER}/../logger`, "--env", "1:A=b", "-o", "x"],
    /two images with the name logger for -o/,
  ],
  ["-D", ["validate", "-D", LOGGER, LOCKS, STREAM], /-D names one image/],
  ["a mistyped view", ["show", LOGGER, LOCKS, "maqs"], /unknown view "maqs"; did you mean "maps"\?/],
] as const)
  test(`refused: ${what}`, async () => {
    const { code, stdout, stderr } = await crimg(args);
    assert.is(code, 2);
    assert.match(stderr, expected);
    assert.not.match(stdout, /valid/);
    assert.not(existsSync("x"));
  });

test("a reader that goes away ends it without a message", () => {
  const { images } = copies(6);
  const command = `"${process.execPath}" "${CRIMG}" show ${images.join(" ")} | head -n 1`;
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command], {
    encoding: "utf8",
    env: plainEnvironment(),
  });
  assert.equal([stdout, stderr], [`${images[0]}\n`, ""]);
});

test.run();
