/** Every command that takes an image takes an archive, and what cannot be written is refused. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { TICKER } from "../helpers/packages.js";
import { suite } from "../helpers/suite.js";

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

test("what would write into an archive is refused, with what to do", async () => {
  for (const args of [
    ["edit", TICKER, "--comm", "1=x", "--in-place"],
    ["edit", TICKER, "--comm", "1=x", "-o", "/nonexistent/x"],
    ["undo", TICKER],
    ["restore", TICKER],
  ]) {
    const { code, stderr } = await crimg(args);
    assert.is(code, 2, args.join(" "));
    assert.match(
      stderr,
      /^error: .* a set in an archive; take it out first: crimg convert .*ticker\.tar\.zst DIR\n$/,
    );
  }
  const dry = await crimg(["edit", TICKER, "--comm", "1=x", "--dry-run"]);
  assert.is(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /svc.*x/);
});

test.run();
