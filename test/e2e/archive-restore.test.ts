/** Archives of Podman that crimg restores without it, in a root file system made of the container's image. */
import { spawnSync } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, statOf, until } from "../helpers/live.js";
import { Podman } from "../helpers/podman.js";
import { suite } from "../helpers/suite.js";

const test = suite("archives without their engine", {}, 240);
let engine: Podman;
/** The directory that was imported as the image of the container. */
let image: string;
const groups: string[] = [];
/** Temporary directories of earlier runs. */
const earlier = temporaryDirectories();

test.before(async () => {
  engine = new Podman();
  image = join(engine.home, "image");
  for (const compression of ["none", "zstd"]) {
    const name = `web-${compression}`;
    await engine.start(name);
    engine.run(
      "container",
      "checkpoint",
      name,
      "--compress",
      compression,
      "--export",
      archiveOf(compression),
    );
    groups.push(engine.run("inspect", "--format", "{{.Id}}", name));
    engine.run("rm", "--force", name);
    engine.run("volume", "rm", `${name}-ticks`);
  }
});

test.after(async () => {
  // The control groups of containers in the background are nobody's any more.
  for (const directory of ownGroups()) spawnSync("rmdir", [directory]);
  engine?.end();
  await cleanUp();
});

function temporaryDirectories(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(".restore.crimg-"));
}

function archiveOf(compression: string): string {
  return join(engine.home, `${compression}.tar`);
}

function ownGroups(): string[] {
  const { stdout } = spawnSync("find", ["/sys/fs/cgroup", "-depth", "-type", "d"], { encoding: "utf8" });
  return stdout.split("\n").filter((directory) => groups.some((id) => directory.includes(id)));
}

/** Files of a directory with what tells a change. */
function filesIn(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[]).sort().map((name) => {
    const { mode, size, mtimeMs } = statSync(join(directory, name));
    return `${name} ${mode} ${size} ${mtimeMs}`;
  });
}

/** Restores an archive in the background; gives the pid, which is killed when `look` is over. */
async function restored(args: readonly string[], look: (pid: number) => Promise<void>): Promise<void> {
  const pidFile = join(freshDirectory("pid"), "pid");
  const { code, stderr } = await crimg(["restore", ...args, "--detach", "--pidfile", pidFile]);
  assert.is(code, 0, stderr);
  const pid = Number(readFileSync(pidFile, "utf8"));
  try {
    await look(pid);
  } finally {
    process.kill(pid, "SIGKILL");
    await until("the container to be gone", () => statOf(pid) === undefined);
  }
}

function fileOf(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/root${file}`, "utf8");
}

/** What the program answers on a port of its network. */
function answer(pid: number, port: number): string {
  spawnSync("nsenter", ["-t", String(pid), "-n", "ip", "link", "set", "lo", "up"]);
  const client = `require("net").connect(${port}, "127.0.0.1").pipe(process.stdout)`;
  const words = ["-t", String(pid), "-n", process.execPath, "-e", client];
  return spawnSync("nsenter", words, { encoding: "utf8", timeout: 20_000 }).stdout;
}

test("the stored changes, volume and shared memory are there, and the directory of the image stays", async () => {
  const before = filesIn(image);
  await restored([archiveOf("none"), "--rootfs", image], async (pid) => {
    const ticks = fileOf(pid, "/log").length;
    await until("further ticks", () => fileOf(pid, "/log").length > ticks + 2);
    assert.match(fileOf(pid, "/log"), /^0\n1\n2\n/);
    assert.match(fileOf(pid, "/data/ticks"), /^0\n1\n2\n/);
    assert.not(existsSync(`/proc/${pid}/root/etc/motd`));
    assert.is(fileOf(pid, "/etc/hostname"), "ticker\n");
    // Those of the pipes are of the host, so their path is told from the root of its /dev.
    for (const fd of [0, 1, 2]) assert.match(readlinkSync(`/proc/${pid}/fd/${fd}`), /\/null$/);
    assert.match(answer(pid, 8080), /^tick \d+ of ticker: good morning\n$/);
    assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), /libpod-/);
  });
  assert.equal(filesIn(image), before);
});

test("with edits, and added files, of a compressed archive", async () => {
  const edits = ["--hostname", "moved", "--tcp-listen-remap", "8080:9393", "--env", "1:GREETING=good night"];
  const added = ["--rootfs-add", `/etc/added=${join(engine.home, "criu.conf")}`];
  await restored([archiveOf("zstd"), "--rootfs", image, ...edits, ...added], async (pid) => {
    assert.match(answer(pid, 9393), /^tick \d+ of moved: good night\n$/);
    assert.is(fileOf(pid, "/etc/hostname"), "moved\n");
    assert.is(fileOf(pid, "/etc/added"), "network-lock skip\n");
  });
});

test("in place: changes stay in the directory; a mount answered by the user is theirs", async () => {
  const [root, data] = [join(engine.home, "own,root:1"), freshDirectory("data")];
  assert.is(spawnSync("cp", ["-a", image, root]).status, 0);
  copyFileSync(join(engine.home, "criu.conf"), join(data, "ticks"));
  const mine = ["--force", "--", "--external", `mnt[/data]:${data}`];
  const { code } = await crimg(["restore", archiveOf("none"), "--rootfs", root, "--dry-run", ...mine]);
  assert.is(code, 0);
  assert.equal(readdirSync(root).sort(), ["bin", "data", "etc", "tmp"]);
  const args = [archiveOf("none"), "--rootfs", root, "--rootfs-in-place"];
  await restored(args, async (pid) => {
    await until("further ticks", () => fileOf(pid, "/log").split("\n").length > 6);
  });
  assert.match(readFileSync(join(root, "log"), "utf8"), /^0\n1\n2\n3\n4\n/);
  assert.not(existsSync(join(root, "etc/motd")));
  assert.equal(readdirSync(join(root, "data")), []);
});

test("a network namespace of the engine is a new one, or one that the user names", async () => {
  const [theirs, mine] = ["theirs", "mine"].map((name) => join(freshDirectory("netns"), name)) as [
    string,
    string,
  ];
  for (const file of [theirs, mine]) {
    writeFileSync(file, "");
    assert.is(spawnSync("unshare", [`--net=${file}`, "true"]).status, 0);
  }
  try {
    await engine.start("netted", `ns:${theirs}`);
    const archive = join(engine.home, "netted.tar");
    engine.run("container", "checkpoint", "netted", "--export", archive);
    groups.push(engine.run("inspect", "--format", "{{.Id}}", "netted"));
    engine.run("rm", "--force", "netted");
    engine.run("volume", "rm", "netted-ticks");
    await restored([archive, "--rootfs", image], async (pid) => {
      assert.match(answer(pid, 8080), /^tick \d+ of ticker: good morning\n$/);
      assert.is.not(statSync(`/proc/${pid}/ns/net`).ino, statSync(theirs).ino);
      assert.is.not(statSync(`/proc/${pid}/ns/net`).ino, statSync("/proc/self/ns/net").ino);
    });
    await restored([archive, "--rootfs", image, "--netns", mine], async (pid) => {
      assert.is(statSync(`/proc/${pid}/ns/net`).ino, statSync(mine).ino);
      assert.match(answer(pid, 8080), /^tick \d+ of ticker: good morning\n$/);
    });
  } finally {
    for (const file of [theirs, mine]) spawnSync("umount", [file]);
  }
});

test("an archive of another user gets no rights of root", async () => {
  const archive = join(engine.home, "theirs.tar");
  copyFileSync(archiveOf("none"), archive);
  chownSync(archive, 65534, 65534);
  const { code, stderr } = await crimg(["restore", archive, "--rootfs", image, "--detach"]);
  assert.is(code, 1);
  assert.match(stderr, /needs a mnt namespace; the owner of the image, user 65534/);
  assert.match(stderr, /to grant it: crimg restore .* --allow-rights /);
});

test("what is missing is told in a sentence", async () => {
  const archive = archiveOf("none");
  for (const [args, message] of [
    [[archive], /^error: .*name a directory with that: --rootfs DIR/],
    [[archive, "--rootfs", join(engine.home, "missing")], /^error: .*missing: .*no such file/],
    [[archive, "--rootfs", archive], /^error: .*the root file system is not a directory/],
    [[archive, "--rootfs-in-place"], /rootfs/],
    [["fixtures/criu/logger", "--rootfs", image], /--rootfs is for archives of containers; use --root DIR/],
  ] as const) {
    const { code, stderr } = await crimg(["restore", ...args]);
    assert.is(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test("nothing is left in the temporary directory", () => {
  assert.equal(
    temporaryDirectories().filter((name) => !earlier.includes(name)),
    [],
  );
});

test.run();
