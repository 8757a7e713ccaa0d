import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CRIMG, crimg } from "../helpers/cli.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const test = suite("output that holds memory or records is private", undefined, 120);
test.after(cleanUp);

const REMAP = ["--remap-path", "/var/lib/crimg-demo=/srv/demo"];
const modeOf = (path: string): string => (fs.lstatSync(path).mode & 0o777).toString(8);

/** Copies of a set and a stream that everybody may read, as many tools leave them. */
function sources(): { home: string; set: string; stream: string } {
  const home = freshDirectory("private");
  const [set, stream] = [join(home, "set"), join(home, "a.ckpt")];
  fs.cpSync(fixture("logger"), set, { recursive: true });
  fs.copyFileSync(streamFixture("logger"), stream);
  for (const name of fs.readdirSync(set)) fs.chmodSync(join(set, name), 0o644);
  fs.chmodSync(set, 0o755);
  fs.chmodSync(stream, 0o644);
  return { home, set, stream };
}

function run(umask: string, args: readonly string[]): void {
  const script = `umask ${umask}; exec "$@"`;
  execFileSync("/bin/sh", ["-c", script, "sh", process.execPath, CRIMG, ...args], { stdio: "pipe" });
}

for (const umask of ["000", "022", "077"])
  test(`umask ${umask}`, () => {
    const { home, set, stream } = sources();
    const at = (name: string): string => join(home, name);
    const before = new Set(fs.readdirSync(home));
    run(umask, ["decode", join(set, "files.img"), "-o", at("files.json")]);
    run(umask, ["decode", stream, "-o", at("stream.json")]);
    run(umask, ["encode", at("files.json"), "-o", at("files.img")]);
    run(umask, ["convert", set, at("converted.ckpt"), "--lossy"]);
    run(umask, ["convert", stream, at("converted"), "--lossy"]);
    run(umask, ["edit", set, ...REMAP, "-o", at("edited")]);
    run(umask, ["edit", set, ...REMAP, "-o", at("copied"), "--copy"]);
    run(umask, ["edit", stream, ...REMAP, "-o", at("edited.ckpt")]);
    run(umask, ["undo", at("edited"), "-o", at("undone")]);
    const made = fs.readdirSync(home).filter((name) => !before.has(name));
    assert.is(made.length, 10);
    for (const name of made) {
      const isDirectory = fs.statSync(at(name)).isDirectory();
      assert.is(modeOf(at(name)), isDirectory ? "700" : "600", name);
      for (const file of isDirectory ? fs.readdirSync(at(name)) : []) {
        const path = join(at(name), file);
        // A pages file may be one file with that of the source, which nobody reaches through this directory.
        if (fs.statSync(path).nlink === 1) assert.is(modeOf(path), "600", path);
      }
    }
  });

test("a tighter source makes a tighter copy; in place a file keeps its mode", async () => {
  const { home, set } = sources();
  fs.chmodSync(join(set, "files.img"), 0o400);
  fs.chmodSync(join(set, "mm-1000.img"), 0o400);
  assert.is((await crimg(["edit", set, ...REMAP, "-o", join(home, "new")])).code, 0);
  assert.is(modeOf(join(home, "new/files.img")), "400");
  assert.is(modeOf(join(home, "new/mm-1000.img")), "400");
  fs.chmodSync(join(set, "files.img"), 0o640);
  assert.is((await crimg(["edit", set, ...REMAP, "--in-place"])).code, 0);
  assert.is(modeOf(join(set, "files.img")), "640");
  assert.is(modeOf(join(set, "crimg-edits.jsonl")), "600", "a new log is private");
});

test("an old file of the name is replaced by a private one", async () => {
  const { home, set } = sources();
  const out = join(home, "out.json");
  fs.writeFileSync(out, "old", { mode: 0o644 });
  assert.is((await crimg(["decode", join(set, "files.img"), "-o", out])).code, 0);
  assert.is(modeOf(out), "600");
});

test("no symbolic link at a name for output is followed", async () => {
  const { home, set, stream } = sources();
  const victim = join(home, "victim");
  fs.writeFileSync(victim, "kept");
  for (const [name, target] of [
    ["link", "victim"],
    ["dangling", "nowhere"],
  ] as const) {
    const link = join(home, name);
    fs.symlinkSync(target, link);
    const json = await crimg(["decode", join(set, "files.img"), "-o", link]);
    assert.is(json.code, 2);
    assert.match(json.stderr, /is a symbolic link \(not followed\)/);
    await crimg(["convert", set, link, "--to", "linux-cr", "--lossy"]);
    await crimg(["edit", stream, ...REMAP, "-o", link]);
  }
  assert.is(fs.readFileSync(victim, "utf8"), "kept");
  assert.not.ok(fs.existsSync(join(home, "nowhere")));
});

test("a device is written to, and a pipe by its name in /dev", () => {
  const image = fixture("logger/files.img");
  const decode = `"$0" "$1" decode "$2" -o /dev/null && "$0" "$1" decode "$2" -o /dev/stdout | cat`;
  const said = execFileSync("/bin/sh", ["-c", decode, process.execPath, CRIMG, image], { encoding: "utf8" });
  assert.match(said, /^\{"magic": "FILES"/);
});

test.run();
