/** Archives that Podman and runc make of a running container, in every compression, and as an image. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import { cleanUp, freshDirectory, program, until } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { skip, suite } from "../helpers/suite.js";

const test = suite("archives of Podman", {}, 240);
const NAME = "ticker";
let home: string;

/** Runs podman with storage, runtime and criu of its own; gives what it prints. */
function podman(...args: string[]): string {
  const storage = ["--root", join(home, "root"), "--runroot", join(home, "run"), "--storage-driver", "vfs"];
  const { status, stdout, stderr } = spawnSync(
    "podman",
    [...storage, "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none", ...args],
    {
      encoding: "utf8",
      timeout: 120_000,
      env: { ...process.env, PATH: `${join(home, "bin")}:${process.env.PATH}` },
    },
  );
  if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

test.before(async () => {
  const criu = needCriu();
  needs("podman", "runc", "zstd");
  home = freshDirectory("podman");
  mkdirSync(join(home, "bin"));
  symlinkSync(criu, join(home, "bin/criu"));
  // runc hands this to criu: there are no iptables here to lock the network with.
  writeFileSync(join(home, "criu.conf"), "network-lock skip\n");
  const image = join(home, "image");
  for (const directory of ["bin", "etc", "data", "tmp"])
    mkdirSync(join(image, directory), { recursive: true });
  cpSync(program("ticker"), join(image, "bin/ticker"));
  writeFileSync(join(image, "etc/motd"), "welcome\n");
  const { status } = spawnSync("tar", ["-C", image, "-cf", join(home, "image.tar"), "."]);
  assert.is(status, 0);
  podman("import", join(home, "image.tar"), "localhost/ticker:1");
  try {
    podman(
      ...[
        "run",
        "--detach",
        "--name",
        NAME,
        "--net",
        "none",
        "--hostname",
        "ticker",
        "--volume",
        "ticks:/data",
      ],
      ...[
        "--security-opt",
        "seccomp=unconfined",
        "--ulimit",
        "nofile=1024:1024",
        "--ulimit",
        "nproc=1024:1024",
      ],
      ...["--annotation", `org.criu.config=${join(home, "criu.conf")}`, "localhost/ticker:1", "/bin/ticker"],
    );
  } catch (error) {
    skip(`podman cannot run a container here: ${(error as Error).message.split("\n").at(-1)}`, "podman");
  }
  await until("ticks of the container", () => podman("logs", NAME).includes("tick 2"));
});

test.after(async () => {
  if (home !== undefined && existsSync(join(home, "root"))) {
    podman("rm", "--force", "--all");
    podman("volume", "rm", "--force", "--all");
    spawnSync("umount", ["-R", join(home, "root")]);
  }
  await cleanUp();
});

for (const compression of ["none", "gzip", "zstd"])
  test(`an archive with compression ${compression}`, async () => {
    const archive = join(home, `${compression}.tar`);
    podman(
      "container",
      "checkpoint",
      NAME,
      "--leave-running",
      "--compress",
      compression,
      "--export",
      archive,
    );
    const { code, json } = await crimgJson(["show", archive, "container"]);
    assert.is(code, 0);
    const { container } = json as { container: Record<string, unknown> };
    assert.is(container.name, NAME);
    assert.is(container.id, podman("inspect", "--format", "{{.Id}}", NAME));
    assert.equal(container.image, {
      name: "localhost/ticker:1",
      id: podman("inspect", "--format", "{{.Image}}", NAME),
    });
    assert.equal(container.command, ["/bin/ticker"]);
    const fds = await crimg(["show", archive, "fds"]);
    assert.is(fds.code, 0, fds.stderr);
    assert.match(fds.stdout, /TCP 0\.0\.0\.0:8080/);
    const rootfs = await crimg(["show", archive, "rootfs"]);
    assert.match(rootfs.stdout, /^changed .* \/log$/m);
    assert.match(rootfs.stdout, /^deleted .* \/etc\/motd$/m);
    assert.match((await crimg(["show", archive, "volumes"])).stdout, /^archive +ticks +\/data/m);
    assert.match((await crimg(["show", archive, "env"])).stdout, /\/bin\/ticker/);
    assert.match((await crimg(["list", archive])).stdout, / ticker$/m);
  });

test("a set taken out is that which tar unpacks, byte by byte", async () => {
  const [archive, set, unpacked] = [join(home, "none.tar"), join(home, "set"), join(home, "unpacked")];
  mkdirSync(unpacked);
  assert.is(spawnSync("tar", ["-C", unpacked, "-xf", archive]).status, 0);
  const { code, stderr } = await crimg(["convert", archive, set]);
  assert.is(code, 0, stderr);
  const names = readdirSync(join(unpacked, "checkpoint")).sort();
  assert.equal(readdirSync(set).sort(), names);
  for (const name of names)
    assert.ok(readFileSync(join(set, name)).equals(readFileSync(join(unpacked, "checkpoint", name))), name);
});

test("an image by --create-image: as a directory, an OCI archive and a Docker archive", async () => {
  podman("container", "checkpoint", NAME, "--leave-running", "--create-image", "localhost/checkpoint:1");
  for (const format of ["oci-dir", "oci-archive", "docker-archive"]) {
    const image = join(home, format);
    podman("image", "save", "--format", format, "--output", image, "localhost/checkpoint:1");
    const { code, stdout, stderr } = await crimg(["show", image]);
    assert.is(code, 0, stderr);
    assert.match(stdout, /^CONTAINER ticker .*; OCI checkpoint image$/m);
    assert.match(stdout, /^TASKS +1 task/m);
    if (format !== "docker-archive")
      assert.match(stdout, /^ENGINE +Podman \d.*, runtime runc \d.*, criu \d/m);
  }
});

test("nothing is left in the temporary directory", () => {
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith(".spool.crimg-")),
    [],
  );
});

test.run();
