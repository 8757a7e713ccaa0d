/** A container from the fixtures, restored in another root directory with another host name. */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import { digestsOf, succeeds } from "../helpers/journey.js";
import { cleanUp, freshDirectory, goesOn, progress, statOf, until } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { suite } from "../helpers/suite.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures", import.meta.url));

const container = suite("a container");
const undo: (() => void)[] = [];
container.before(() => {
  needCriu();
  needs("mount", "nsenter");
});
container.after(async () => {
  for (const step of undo.reverse()) step();
  await cleanUp();
});

function run(...argv: readonly [string, ...string[]]): string {
  const [program, ...args] = argv;
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 30_000 });
  assert.is(status, 0, `${argv.join(" ")}: ${stderr}`);
  return stdout;
}

/** The files of the fixture in a root directory that is a mount point, as criu wants it. */
function rootDirectory(): string {
  const directory = freshDirectory("container");
  run("tar", "-xzpf", join(FIXTURES, "files/container.tar.gz"), "-C", directory);
  const root = join(directory, "var/lib/crimg-demo/container/rootfs");
  run("mount", "--bind", root, root);
  undo.push(() => run("umount", root));
  return root;
}

container("asks for its root directory, and lives on in it under another host name", async () => {
  // A restore with edits has a temporary set beside the image: not among the fixtures that other tests list.
  const set = join(freshDirectory("container-set"), "set");
  cpSync(join(FIXTURES, "criu/container"), set, { recursive: true });
  const digests = digestsOf(set);
  const refused = await crimg(["restore", set, "--detach"]);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /root directory of the mount namespace.*; use --root DIR/);

  const root = rootDirectory();
  const log = join(root, "log");
  const before = progress(log).ticks;
  const pidFile = join(root, "../root.pid");
  await succeeds("restore", set, "--root", root, "--hostname", "moved", "--detach", "--pidfile", pidFile);
  const pid = Number(readFileSync(pidFile, "utf8"));
  undo.push(removeGroups);
  try {
    await goesOn(log);
    assert.ok(progress(log).ticks > before);
    assert.is(run("nsenter", "--target", String(pid), "--uts", "hostname"), "moved\n");
    // Through a bind mount, and on a tmpfs whose contents came out of the images.
    assert.equal(
      [3, 4, 5].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
      ["/log", "/mnt/file", "/tmp/scratch"],
    );
  } finally {
    process.kill(pid, "SIGKILL");
    await until("the container to be gone", () => statOf(pid) === undefined);
  }
  assert.equal(digestsOf(set), digests);
});

/** criu makes the control groups of a set, and nobody else takes them away. */
function removeGroups(): void {
  for (const directory of run(
    "find",
    "/sys/fs/cgroup",
    "-depth",
    "-type",
    "d",
    "-path",
    "*/crimg-demo*",
  ).split("\n"))
    if (directory !== "" && existsSync(directory)) rmdirSync(directory);
}

container.run();
