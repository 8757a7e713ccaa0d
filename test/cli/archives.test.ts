/** Every command that takes an image takes an archive, and what cannot be written is refused. */
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { TICKER } from "../helpers/packages.js";
import { suite } from "../helpers/suite.js";
import { tar } from "../helpers/tar.js";

const LOGGER = fileURLToPath(new URL("../../fixtures/criu/logger", import.meta.url));

const test = suite("archives on the command line");
test.after(cleanUp);

test("take a set out of an archive, and it is the same for every command that looks", async () => {
  const set = path.join(freshDirectory("taken"), "set");
  const { code, stdout } = await crimg(["convert", TICKER, set]);
  assert.is(code, 0);
  assert.match(stdout, /^wrote .*set \(criu, \d+ bytes\)\n$/);
  assert.is(fs.statSync(set).mode & 0o777, 0o700);
  for (const args of [
    ["tree"],
    ["fds"],
    ["maps"],
    ["mounts"],
    ["sockets"],
    ["env"],
    ["record", "files.img[3]"],
  ]) {
    const [packed, plain] = [await crimg(["show", TICKER, ...args]), await crimg(["show", set, ...args])];
    assert.is(packed.code, 0, packed.stderr);
    assert.is(packed.stdout, plain.stdout);
  }
  for (const image of [TICKER, set]) {
    const found = await crimg(["find", image, "/bin/svc"]);
    assert.match(found.stdout, /^files\.img\[\d+\]\.reg\.name = "\/bin\/svc"/m);
  }
  const same = await crimg(["diff", TICKER, set]);
  assert.is(same.code, 0, same.stdout + same.stderr);
  const stream = path.join(path.dirname(set), "ticker.ckpt");
  assert.is((await crimg(["convert", TICKER, stream, "--to", "linux-cr", "--lossy"])).code, 0);
});

test("one image in an archive, by its path and by -D", async () => {
  const set = path.join(freshDirectory("taken"), "set");
  await crimg(["convert", TICKER, set]);
  const expected = (await crimg(["decode", path.join(set, "pstree.img")])).stdout;
  assert.is((await crimg(["decode", `${TICKER}//checkpoint/pstree.img`])).stdout, expected);
  assert.is((await crimg(["decode", `${TICKER}//pstree.img`])).stdout, expected);
  assert.is((await crimg(["decode", "-D", TICKER, "pstree.img"])).stdout, expected);
  for (const command of ["info", "dump"])
    assert.is((await crimg([command, `${TICKER}//pstree.img`])).code, 0);
  const missing = await crimg(["info", `${TICKER}//none.img`]);
  assert.is(missing.code, 2);
  assert.match(missing.stderr, /no member "none\.img" in it/);
});

test("an archive on stdin, and as -D", async () => {
  const input = fs.readFileSync(TICKER);
  const [piped, named] = [
    await crimg(["show", "-", "fds"], { input }),
    await crimg(["show", "-D", TICKER, "fds"]),
  ];
  assert.is(piped.code, 0, piped.stderr);
  assert.is(piped.stdout, named.stdout);
});

test("zstd without the program zstd", async () => {
  const [without, usual] = [
    await crimg(["show", TICKER, "maps"], { env: { PATH: "/nonexistent" } }),
    await crimg(["show", TICKER, "maps"]),
  ];
  assert.is(without.code, 0, without.stderr);
  assert.is(without.stdout, usual.stdout);
});

test("the summary begins with the container", async () => {
  const { code, stdout, stderr } = await crimg(["show", TICKER], { env: { COLUMNS: "100" } });
  assert.is(code, 0, stderr);
  assert.equal(stdout.split("\n").slice(0, 4), [
    "CONTAINER ticker 9a6cd1127d26; image localhost/ticker:1; container archive",
    "ENGINE    Podman, runtime runc",
    "LIFE      created 2026-11-30 16:06:59 UTC",
    "ROOT      1 changed file in 2 KiB, 1 deleted; volume ticks on /data (2.5 KiB)",
  ]);
  const { json } = (await crimgJson(["show", TICKER])) as { json: { container: Record<string, unknown> } };
  assert.equal(json.container.rootChanges, { bytes: 2048, changed: 1, deleted: 1 });
  assert.equal(json.container.volumes, [{ name: "ticks", destination: "/data", bytes: 2560 }]);
});

test("views of the container", async () => {
  const shown = async (view: string) =>
    (await crimg(["show", TICKER, view], { env: { COLUMNS: "100" } })).stdout;
  assert.is(
    await shown("rootfs"),
    `CHANGE   MODE  OWNER  SIZE  MODIFIED             PATH
changed  0644  0:0      16  2026-11-30 16:07:01  /log
deleted                                          /etc/motd
`,
  );
  assert.match(await shown("volumes"), /^archive {2}ticks {2}\/data +1 {2}16 B$/m);
  assert.match(await shown("container"), /^STDIO +\/dev\/null, pipe:\[5549958\], pipe:\[5549959\]$/m);
  assert.is(await shown("pod"), "no pod: the container is in no pod\n");
  const plain = await crimg(["show", LOGGER, "container"]);
  assert.is(plain.code, 0);
  assert.match(plain.stdout, /^no container: the image is not in an archive/);
  const task = await crimg(["show", TICKER, "rootfs", "-p", "1"]);
  assert.match(task.stderr, /-p does not apply to the view rootfs/);
});

test("list what lies in a directory", async () => {
  const home = freshDirectory("listed");
  fs.cpSync(TICKER, path.join(home, "a.tar.gz"));
  fs.cpSync(LOGGER, path.join(home, "set"), { recursive: true });
  fs.writeFileSync(path.join(home, "other.txt"), "text");
  fs.writeFileSync(path.join(home, "plain.tar"), tar([{ name: "file", content: "text" }]).subarray(0, 1500));
  const { code, json } = (await crimgJson(["list", home])) as {
    code: number;
    json: { checkpoints: Listed[] };
  };
  assert.is(code, 2);
  assert.equal(
    json.checkpoints.map(({ path: file, form, compression, name }) => [
      path.basename(file),
      form,
      compression,
      name,
    ]),
    [
      ["a.tar.gz", "container archive", "zstd", "ticker"],
      ["plain.tar", "damaged", undefined, undefined],
      ["set", "CRIU image set", undefined, undefined],
    ],
  );
  fs.rmSync(path.join(home, "plain.tar"));
  const text = await crimg(["list", home]);
  assert.is(text.code, 0);
  assert.match(
    text.stdout,
    /^CHECKPOINT .*\n.*a\.tar\.gz {2}container archive, zstd {2}18\.6 KiB .*ticker\n.*set {2}CRIU image set/,
  );
  assert.is((await crimg(["list", freshDirectory("empty")])).code, 1);
  assert.is((await crimg(["list", "/nonexistent"])).code, 2);
});

interface Listed {
  readonly path: string;
  readonly form: string;
  readonly compression?: string;
  readonly name?: string;
}

test("a restore of an archive without a root file system is refused, with what to do", async () => {
  const { code, stderr } = await crimg(["restore", TICKER]);
  assert.is(code, 2);
  assert.match(
    stderr,
    /^error: .* --rootfs DIR, hand the archive to its engine: crimg restore .* --backend podman, or take the set out: crimg convert .*ticker\.tar\.zst DIR\n$/,
  );
  const dry = await crimg(["edit", TICKER, "--comm", "1=x", "--dry-run"]);
  assert.is(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /svc.*x/);
});

test.run();
