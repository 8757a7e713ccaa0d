/** Archives that Podman and runc make of a running container, in every compression, and as an image. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp } from "../helpers/live.js";
import { Podman } from "../helpers/podman.js";
import { suite } from "../helpers/suite.js";

const test = suite("archives of Podman", {}, 240);
const NAME = "ticker";
const ID = "0123456789abcdef".repeat(4);
let engine: Podman;

test.before(async () => {
  engine = new Podman();
  await engine.start(NAME);
});

test.after(async () => {
  engine?.end();
  await cleanUp();
});

for (const compression of ["none", "gzip", "zstd"])
  test(`an archive with compression ${compression}`, async () => {
    const archive = join(engine.home, `${compression}.tar`);
    engine.run(
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
    assert.is(container.id, engine.run("inspect", "--format", "{{.Id}}", NAME));
    assert.equal(container.image, {
      name: "localhost/ticker:1",
      id: engine.run("inspect", "--format", "{{.Image}}", NAME),
    });
    assert.equal(container.command, ["/bin/ticker"]);
    const fds = await crimg(["show", archive, "fds"]);
    assert.is(fds.code, 0, fds.stderr);
    assert.match(fds.stdout, /TCP 0\.0\.0\.0:8080/);
    const rootfs = await crimg(["show", archive, "rootfs"]);
    assert.match(rootfs.stdout, /^changed .* \/log$/m);
    assert.match(rootfs.stdout, /^deleted .* \/etc\/motd$/m);
    assert.match((await crimg(["show", archive, "volumes"])).stdout, /^archive +ticker-ticks +\/data/m);
    assert.match((await crimg(["show", archive, "env"])).stdout, /\/bin\/ticker/);
    assert.match((await crimg(["list", archive])).stdout, / ticker$/m);
  });

test("a set taken out is that which tar unpacks, byte by byte", async () => {
  const [archive, set, unpacked] = [
    join(engine.home, "none.tar"),
    join(engine.home, "set"),
    join(engine.home, "unpacked"),
  ];
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
  engine.run("container", "checkpoint", NAME, "--leave-running", "--create-image", "localhost/checkpoint:1");
  for (const format of ["oci-dir", "oci-archive", "docker-archive"]) {
    const image = join(engine.home, format);
    engine.run("image", "save", "--format", format, "--output", image, "localhost/checkpoint:1");
    const { code, stdout, stderr } = await crimg(["show", image]);
    assert.is(code, 0, stderr);
    assert.match(stdout, /^CONTAINER ticker .*; OCI checkpoint image$/m);
    assert.match(stdout, /^TASKS +1 task/m);
    if (format !== "docker-archive")
      assert.match(stdout, /^ENGINE +Podman \d.*, runtime runc \d.*, criu \d/m);
  }
});

for (const compression of ["none", "gzip", "zstd"])
  test(`an edited archive with compression ${compression} is restored by podman, and answers`, async () => {
    const [archive, edited] = [
      join(engine.home, `a-${compression}.tar`),
      join(engine.home, `b-${compression}.tar`),
    ];
    const [name, again] = [`one-${compression}`, `two-${compression}`];
    const log = join(engine.home, "log");
    writeFileSync(log, "added\n");
    await engine.start(name);
    engine.run("container", "checkpoint", name, "--compress", compression, "--export", archive);
    engine.run("rm", "--force", name);
    engine.run("volume", "rm", `${name}-ticks`);
    const { code, stderr } = await crimg([
      ...["edit", archive, "--tcp-listen-remap", "8080:9090", "--hostname", "another-name"],
      ...["--env", "1:GREETING=good night", "--remap-path", "/log=/tmp/log", "--no-file-check", "/tmp/log"],
      ...[
        "--rootfs-add",
        `/tmp/log=${log}`,
        "--rootfs-add",
        `/tmp/out=${log}`,
        "--fd",
        "1:1=/tmp/out,append",
      ],
      ...["--comm", "1=renamed", "--container-name", again, "--container-id", ID, "-o", edited],
    ]);
    assert.is(code, 0, stderr);
    engine.run("container", "restore", "--import", edited);
    assert.is(engine.run("inspect", "--format", "{{.Id}}", again), ID);
    assert.match(engine.ask(again, 9090), /^tick \d+ of another-name: good night\n$/);
    assert.match(engine.ask(again, 8080), /ECONNREFUSED/);
    assert.is(engine.run("inspect", "--format", "{{.Config.Hostname}}", again), "another-name");
    assert.match(engine.fileOf(again, "/tmp/log"), /^added\n\d+\n\d+\n/);
    assert.match(engine.fileOf(again, "/tmp/out"), /^added\ntick \d+\n/);
    engine.run("rm", "--force", again);
  });

test("a set that was taken out, edited and put back is restored by podman", async () => {
  const [archive, set, made] = ["c.tar", "c", "d.tar"].map((name) => join(engine.home, name)) as [
    string,
    string,
    string,
  ];
  await engine.start("three");
  engine.run("container", "checkpoint", "three", "--export", archive);
  engine.run("rm", "--force", "three");
  engine.run("volume", "rm", "three-ticks");
  for (const args of [
    ["convert", archive, set],
    ["edit", set, "--tcp-listen-remap", "8080:9191", "--in-place"],
    ["convert", set, made, "--as", "podman", "--like", archive, "--compress", "gzip"],
  ]) {
    const { code, stderr } = await crimg(args);
    assert.is(code, 0, stderr);
  }
  engine.run("container", "restore", "--import", made, "--name", "four");
  assert.match(engine.ask("four", 9191), /^tick \d+ of ticker: good morning\n$/);
  engine.run("rm", "--force", "four");
  engine.run("volume", "rm", "--force", "--all");
  const image = join(engine.home, "image-oci.tar");
  const { code, stderr } = await crimg(["convert", made, image, "--as", "oci"]);
  assert.is(code, 0, stderr);
  assert.match((await crimg(["show", image])).stdout, /^CONTAINER three .*; OCI checkpoint image$/m);
  const loaded = engine.run("load", "--input", image).split(/\s/).at(-1) as string;
  engine.run("container", "restore", "--name", "five", loaded);
  assert.match(engine.ask("five", 8080), /ECONNREFUSED/);
  assert.match(engine.ask("five", 9191), /^tick \d+ of ticker: good morning\n$/);
  engine.run("rm", "--force", "five");
});

test("restore --backend podman hands over an archive with edits", async () => {
  const archive = join(engine.home, "e.tar");
  await engine.start("six");
  engine.run("container", "checkpoint", "six", "--export", archive);
  engine.run("rm", "--force", "six");
  engine.run("volume", "rm", "six-ticks");
  const before = readFileSync(archive);
  const args = [
    "restore",
    archive,
    "--backend",
    "podman",
    "--name",
    "seven",
    "--tcp-listen-remap",
    "8080:9292",
  ];
  const { code, stdout, stderr } = await crimg(args, { env: engine.environment() });
  assert.is(code, 0, stderr);
  assert.match(stdout, /^restored by podman: container [0-9a-f]{64}\n$/);
  assert.match(engine.ask("seven", 9292), /^tick \d+ of ticker: good morning\n$/);
  assert.ok(readFileSync(archive).equals(before));
  const taken = await crimg(["restore", archive, "--backend", "podman", "--name", "seven"], {
    env: engine.environment(),
  });
  assert.is(taken.code, 2, taken.stderr);
  assert.match(taken.stderr, /error: .*podman could not restore it/);
  engine.run("rm", "--force", "seven");
});

test("nothing is left in the temporary directory", () => {
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith(".spool.crimg-")),
    [],
  );
});

test.run();
