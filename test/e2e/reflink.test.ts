// An edit into a new directory on a file system with reflinks: XFS in a loop device, for which it takes root.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as assert from "uvu/assert";
import { assertBytes } from "../helpers/bytes.js";
import { CRIMG } from "../helpers/cli.js";
import { fixture } from "../helpers/images.js";
import { mountXfs, needs } from "../helpers/needs.js";
import { suite } from "../helpers/suite.js";

const test = suite("e2e: pages shared by reflink", undefined, 120);

const MiB = 1024 * 1024;
const PAGES = "pages-1.img";
const home = fs.mkdtempSync(path.join(tmpdir(), "crimg-reflink-"));
const mount = path.join(home, "xfs");

test.before(() => {
  needs("strace");
  const disk = path.join(home, "disk");
  fs.mkdirSync(mount);
  fs.writeFileSync(disk, "");
  fs.truncateSync(disk, 512 * MiB);
  mountXfs(disk, mount);
});

test.after(() => {
  spawnSync("umount", [mount]);
  fs.rmSync(home, { recursive: true, force: true });
});

test("no byte of the pages is read, and every block of them belongs to both sets", () => {
  const [set, out, trace] = [path.join(mount, "set"), path.join(mount, "out"), path.join(home, "trace")];
  fs.cpSync(fixture("logger"), set, { recursive: true });
  // Pages of a larger program behind those of the logger.
  for (let i = 0; i < 64; i++) fs.appendFileSync(path.join(set, PAGES), Buffer.alloc(MiB, i + 1));
  run("sync");
  const edit = ["edit", set, "--remap-path", "/var/lib/crimg-demo=/srv/demo", "-o", out, "--json"];
  const traced = ["-f", "-y", "-o", trace, "-e", "trace=%desc", process.execPath, CRIMG, ...edit];
  const { applied } = JSON.parse(run("strace", ...traced));
  assert.ok(applied.shared.reflink.includes(PAGES));

  const calls = fs.readFileSync(trace, "utf8").split("\n");
  assert.ok(calls.some((call) => /\b(read|pread64)\(\d+<[^>]*files\.img>/.test(call)));
  const ofPages = calls.filter((call) => call.includes(PAGES));
  assert.is(ofPages.filter((call) => /\bioctl\(.*FICLONE/.test(call)).length, 1, ofPages.join("\n"));
  assert.equal(
    ofPages.filter((call) => /\b(p?readv?2?|pread64|mmap|copy_file_range|sendfile|splice)\(/.test(call)),
    [],
  );

  const extents = run("filefrag", "-v", path.join(out, PAGES)).match(/^ +\d+:.*$/gm) ?? [];
  assert.ok(extents.length > 0);
  for (const extent of extents) assert.match(extent, /\bshared\b/);
  assertBytes(fs.readFileSync(path.join(out, PAGES)), fs.readFileSync(path.join(set, PAGES)));
});

test.run();

function run(program: string, ...args: string[]): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.is(status, 0, `${program}: ${error?.message ?? stderr}`);
  return stdout;
}
