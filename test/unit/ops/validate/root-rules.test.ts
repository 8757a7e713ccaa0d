import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { ROOT_RULES, SET_ROOT_RULES } from "../../../../src/ops/validate/root/rules.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { cleanUp, freshDirectory } from "../../../helpers/live.js";
import { needsRoot } from "../../../helpers/needs.js";
import { skip, suite } from "../../../helpers/suite.js";
import { unpackedFiles } from "../../../helpers/unpacked-files.js";
import { addFile, NO_OWNER } from "./cases/files.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("rules about files below the root");
const found = new Set<string>();

test.after(cleanUp);

function findings(set: DamagedSet, root: string, watch: readonly string[] = []): readonly Finding[] {
  const document = set.open();
  const { findings } = validate(document, {
    root,
    watch,
    only: [...ROOT_RULES, ...SET_ROOT_RULES].map(({ id }) => id),
  });
  document.close();
  for (const { id } of findings) found.add(id);
  return findings;
}

const ids = (list: readonly Finding[]): string[] => list.map(({ id }) => id);

for (const fixture of ["logger", "locks", "deleted", "sockets", "threads", "tree", "terminal"])
  test(`the files of ${fixture} as they were are found in order`, () => {
    assert.equal(findings(new DamagedSet(fixture), unpackedFiles(fixture).root), []);
  });

test("files of a mount namespace are looked for through its mounts", () => {
  const { home } = unpackedFiles("container");
  const root = join(home, "rootfs");
  assert.equal(findings(new DamagedSet("container"), root), []);
  rmSync(join(root, "data/file"));
  const [finding, ...others] = findings(new DamagedSet("container"), root);
  assert.equal([finding?.id, finding?.at.path, others], ["FILE_MISSING", "/mnt/file", []]);
  assert.match(finding?.expected ?? "", "/data/file");
});

const O_PATH = 0x200000;
const O_NOFOLLOW = 0x20000;
const S_IFLNK = 0o120000;

test("FILE_TYPE: a symbolic link that was opened itself is still one; without O_NOFOLLOW what it leads to counts", () => {
  const { root, home } = unpackedFiles("logger");
  const conf = join(home, "etc/logger.conf");
  renameSync(conf, join(home, "etc/real.conf"));
  symlinkSync("real.conf", conf);
  const opened = (flags: number): DamagedSet => {
    const document = new DamagedSet("logger").open();
    const file = document.checkpoint.files.all.find(({ path }) => path?.endsWith("etc/logger.conf"));
    document.close();
    if (file === undefined) throw new Error("no such file");
    const record = `files.img[${file.origin.record}].reg`;
    return new DamagedSet("logger")
      .set(`${record}.flags`, flags)
      .set(`${record}.mode`, S_IFLNK | 0o777)
      .set(`${record}.size`, undefined);
  };
  assert.equal(findings(opened(O_PATH | O_NOFOLLOW), root), []);
  assert.equal(ids(findings(opened(O_PATH), root)), ["FILE_TYPE"]);
  rmSync(conf);
  symlinkSync("nowhere", conf);
  assert.equal(findings(opened(O_PATH | O_NOFOLLOW), root), []);
  rmSync(conf);
  writeFileSync(conf, "");
  assert.equal(ids(findings(opened(O_PATH | O_NOFOLLOW), root)), ["FILE_TYPE"]);
});

test("FILE_MISSING: one finding for a file", () => {
  const { root, home } = unpackedFiles("logger");
  rmSync(join(home, "etc/logger.conf"));
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal(others, []);
  assert.is(finding?.id, "FILE_MISSING");
  assert.equal([finding?.at.pid, finding?.at.path], [1000, "/var/lib/crimg-demo/logger/etc/logger.conf"]);
  assert.type(finding?.at.fd, "number");
});

test("what is found of a file that is open several times is one finding with a count", () => {
  const { root, home } = unpackedFiles("logger");
  chmodSync(join(home, "log/messages"), 0o600);
  const document = new DamagedSet("logger").open();
  const file = document.checkpoint.files.all.find(({ path }) => path?.endsWith("log/messages"));
  document.close();
  const record = file?.origin.record ?? -1;
  const set = new DamagedSet("logger").repeat("files.img", record).repeat("files.img", record);
  for (const [more, at] of [8, 9].entries())
    set.set(`files.img[${at}].id`, 90 + more).set(`files.img[${at}].reg.id`, 90 + more);
  const [finding, ...others] = findings(set, root);
  assert.equal([finding?.id, finding?.count, others], ["FILE_MODE", 3, []]);
  assert.is(finding?.at.record, record);
});

test("FILE_MISSING: one finding for a directory that was moved, with all files below it", () => {
  const { root, home } = unpackedFiles("logger");
  renameSync(home, `${home}-moved`);
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal([finding?.id, finding?.at.path, others], ["FILE_MISSING", "/var/lib/crimg-demo/logger", []]);
  assert.match(finding?.fix ?? "", "--remap-path /var/lib/crimg-demo/logger=NEWPATH");
});

test("FILE_TYPE: a directory where a file was", () => {
  const { root, home } = unpackedFiles("logger");
  rmSync(join(home, "data/records"));
  mkdirSync(join(home, "data/records"));
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal(
    [finding?.id, finding?.expected, finding?.found, others],
    ["FILE_TYPE", "a regular file", "a directory", []],
  );
});

test("FILE_READ_ONLY: an immutable file that the program writes to", () => {
  needsRoot("making a file immutable");
  const { root, home } = unpackedFiles("logger");
  const log = join(home, "log/messages");
  if (spawnSync("chattr", ["+i", log, join(home, "etc/logger.conf")]).status !== 0)
    skip("this file system has no immutable files");
  try {
    const [finding, ...others] = findings(new DamagedSet("logger"), root);
    assert.equal(
      [finding?.id, finding?.found, finding?.fix, others],
      ["FILE_READ_ONLY", "an immutable file", `chattr -i ${log}`, []],
    );
  } finally {
    spawnSync("chattr", ["-i", log, join(home, "etc/logger.conf")]);
  }
  assert.equal(findings(new DamagedSet("logger"), root), []);
});

test("FILE_MODE: other permissions, accepted by an edit of the image", () => {
  const { root, home } = unpackedFiles("logger");
  chmodSync(join(home, "data/records"), 0o600);
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal([finding?.id, finding?.expected, finding?.found, others], ["FILE_MODE", "0644", "0600", []]);
  assert.match(finding?.fix ?? "", `--accept-file /var/lib/crimg-demo/logger/data/records --root ${root}`);
});

test("FILE_SIZE: a data file that has grown, accepted by an edit of the image", () => {
  const { root, home } = unpackedFiles("logger");
  const set = () => new DamagedSet("logger").set(`files.img[${recordOf("data/records")}].reg.pos`, 8n);
  writeFileSync(join(home, "data/records"), "more", { flag: "a" });
  const [finding, ...others] = findings(set(), root);
  assert.equal(
    [finding?.id, finding?.expected, finding?.found, others],
    ["FILE_SIZE", "352 bytes", "356 bytes", []],
  );
  assert.match(finding?.what ?? "", "data file has grown");
  assert.match(finding?.fix ?? "", `--accept-file /var/lib/crimg-demo/logger/data/records --root ${root}`);
});

test("FILE_SIZE: a file that is only appended to may grow, and is accepted", () => {
  const { root, home } = unpackedFiles("logger");
  const set = new DamagedSet("logger").set(`files.img[${recordOf("data/records")}].reg.pos`, 352n);
  writeFileSync(join(home, "data/records"), "more", { flag: "a" });
  const [finding, ...others] = findings(set, root);
  assert.equal([finding?.id, others], ["FILE_SIZE", []]);
  assert.match(finding?.what ?? "", "only appended to");
  assert.match(finding?.fix ?? "", `--accept-file /var/lib/crimg-demo/logger/data/records --root ${root}`);
});

test("FILE_SIZE: a file that has lost its end", () => {
  const { root, home } = unpackedFiles("logger");
  truncateSync(join(home, "data/records"), 10);
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal([finding?.id, finding?.found, others], ["FILE_SIZE", "10 bytes", []]);
});

test("FILE_SIZE: a mapped program of another size without a build id", () => {
  const { root, home } = unpackedFiles("locks");
  writeFileSync(join(home, "bin/locks"), "x", { flag: "a" });
  const [finding, ...others] = findings(new DamagedSet("locks"), root);
  assert.equal([finding?.id, finding?.fix, others], ["FILE_SIZE", undefined, []]);
  assert.match(finding?.what ?? "", "program or library that is mapped");
});

test("FILE_BUILD_ID: another build of the program", () => {
  const { root, home } = unpackedFiles("logger");
  copyFileSync(join(unpackedFiles("tree").home, "bin/tree"), join(home, "bin/logger"));
  const [finding, ...others] = findings(new DamagedSet("logger"), root);
  assert.equal([finding?.id, finding?.fix, others], ["FILE_BUILD_ID", undefined, []]);
  assert.match(finding?.expected ?? "", /^[0-9a-f]{40}$/);
});

test("LINK_REMAP: the hard link of a deleted file is gone", () => {
  const { root, home } = unpackedFiles("deleted");
  rmSync(join(home, "link_remap.13"));
  const [finding, ...others] = findings(new DamagedSet("deleted"), root);
  assert.equal(
    [finding?.id, finding?.at.path, others],
    ["LINK_REMAP", "/var/lib/crimg-demo/deleted/link_remap.13", []],
  );
});

test("GHOST_DIRECTORY: a file where the directory of a deleted one was", () => {
  const { root, home } = unpackedFiles("deleted");
  writeFileSync(join(home, "gone"), "");
  assert.equal(ids(findings(new DamagedSet("deleted"), root)), ["GHOST_DIRECTORY"]);
});

test("GHOST_PATH_TAKEN: a new file has the deleted one's path", () => {
  const { root, home } = unpackedFiles("deleted");
  writeFileSync(join(home, "small"), "");
  assert.equal(new Set(ids(findings(new DamagedSet("deleted"), root))), new Set(["GHOST_PATH_TAKEN"]));
});

test("INOTIFY_PATH: what is watched is gone", () => {
  const { root } = unpackedFiles("terminal");
  const set = new DamagedSet("terminal").set(
    "files.img[6].ify.wd[0].f_handle.path",
    "/var/lib/crimg-demo/terminal/elsewhere",
  );
  assert.equal(ids(findings(set, root)), ["INOTIFY_PATH"]);
});

test("WATCH_MISSING: files that the policy expects", () => {
  const { root, home } = unpackedFiles("logger");
  const watch = [
    "/var/lib/crimg-demo/logger/run/*.tmp",
    "/var/lib/crimg-demo/logger/run/state",
    "/var/lib/**/records",
  ];
  const missing = () =>
    findings(new DamagedSet("logger"), root, watch).map(({ id, at }) => `${id} ${at.path}`);
  assert.equal(missing(), [`WATCH_MISSING ${watch[0]}`, `WATCH_MISSING ${watch[1]}`]);
  writeFileSync(join(home, "run/a.tmp"), "");
  writeFileSync(join(home, "run/state"), "");
  assert.equal(missing(), []);
});

const SOCKET_OPTIONS = {
  so_sndbuf: 1,
  so_rcvbuf: 1,
  so_snd_tmo_sec: 0n,
  so_snd_tmo_usec: 0n,
  so_rcv_tmo_sec: 0n,
  so_rcv_tmo_usec: 0n,
  so_filter: [],
};

function withSocket(path: string, uflags = 0): DamagedSet {
  const name = Buffer.from(`${path}\0`);
  const usk = {
    id: 99,
    ino: 99,
    type: 1,
    state: 10,
    flags: 2,
    uflags,
    backlog: 1,
    peer: 0,
    fown: NO_OWNER,
    opts: SOCKET_OPTIONS,
    name,
  };
  return addFile(new DamagedSet("logger"), { type: 5, id: 99, usk });
}

test("UNIX_DIRECTORY: the directory of a socket is gone, and the mkdir that fixes it", () => {
  const { root } = unpackedFiles("logger");
  const [finding, ...others] = findings(withSocket("/run/app/socket"), root);
  assert.equal([finding?.id, others], ["UNIX_DIRECTORY", []]);
  execFileSync("sh", ["-c", finding?.fix as string]);
  assert.equal(findings(withSocket("/run/app/socket"), root), []);
});

test("UNIX_DIRECTORY: criu makes the directory of a deleted socket again", () => {
  const { root } = unpackedFiles("logger");
  const set = withSocket("/run/app/socket");
  const record = set.open().checkpoint.files.all.find(({ socket }) => socket !== undefined)?.origin.record;
  assert.equal(findings(set.set(`files.img[${record}].usk.deleted`, true), root), []);
});

test("UNIX_PATH: a file lies at the path of a socket, and the mv that fixes it", async () => {
  const { root, home } = unpackedFiles("logger");
  const socket = "/var/lib/crimg-demo/logger/run/socket";
  writeFileSync(join(home, "run/socket"), "");
  const [finding, ...others] = findings(withSocket(socket), root);
  assert.equal([finding?.id, others], ["UNIX_PATH", []]);
  execFileSync("sh", ["-c", finding?.fix as string]);
  assert.equal(findings(withSocket(socket), root), []);
});

test("UNIX_PEER_GONE: the service outside must listen", async () => {
  const { root, home } = unpackedFiles("logger");
  const set = () => withSocket("/var/lib/crimg-demo/logger/run/service", 1);
  assert.equal(ids(findings(set(), root)), ["UNIX_PEER_GONE"]);
  const server = createServer();
  await new Promise<void>((done) => server.listen(join(home, "run/service"), done));
  assert.equal(findings(set(), root), []);
  await new Promise((done) => server.close(done));
});

test("links never lead out of the root", () => {
  const { root, home } = unpackedFiles("logger");
  const secret = join(freshDirectory("outside"), "logger.conf");
  copyFileSync(join(home, "etc/logger.conf"), secret);
  rmSync(join(home, "etc/logger.conf"));
  symlinkSync(secret, join(home, "etc/logger.conf"));
  assert.equal(ids(findings(new DamagedSet("logger"), root)), ["FILE_MISSING"]);
  const climbing = new DamagedSet("logger").set(
    `files.img[${recordOf("etc/logger.conf")}].reg.name`,
    `/../../..${secret}`,
  );
  assert.equal(ids(findings(climbing, root)), ["FILE_MISSING"]);
});

test("an absolute link is followed from the root on", () => {
  const { root, home } = unpackedFiles("logger");
  renameSync(join(home, "etc"), join(root, "elsewhere"));
  symlinkSync("/elsewhere", join(home, "etc"));
  assert.equal(findings(new DamagedSet("logger"), root), []);
});

test("a name that is not UTF-8 is found", () => {
  const { root, home } = unpackedFiles("logger");
  const name = Buffer.concat([Buffer.from(join(home, "etc/")), Buffer.of(0xff, 0x41)]);
  renameSync(join(home, "etc/logger.conf"), name);
  const set = new DamagedSet("logger").set(
    `files.img[${recordOf("etc/logger.conf")}].reg.name`,
    "/var/lib/crimg-demo/logger/etc/\udcffA",
  );
  assert.equal(findings(set, root), []);
});

test("INOTIFY_HANDLE: a watch without a path, of an inode that is not there, and of a symbolic link", () => {
  const { root, home } = unpackedFiles("terminal");
  const watching = (inode: bigint): DamagedSet =>
    new DamagedSet("terminal")
      .set("files.img[6].ify.wd[0].i_ino", inode)
      .set("files.img[6].ify.wd[0].f_handle.path", undefined);
  const said = (inode: bigint) =>
    findings(watching(inode), root).flatMap(({ id, severity }) =>
      id === "INOTIFY_HANDLE" ? [severity] : [],
    );
  symlinkSync("nowhere", join(home, "link"));
  const inodeOf = (path: string): bigint => lstatSync(path, { bigint: true }).ino;
  assert.equal(said(inodeOf(home)), []);
  assert.equal(said(1n << 63n), ["warning"]);
  assert.equal(said(inodeOf(join(home, "link"))), ["error"]);
});

test("every rule was found to speak", () => {
  const silent = [...ROOT_RULES, ...SET_ROOT_RULES].map(({ id }) => id).filter((id) => !found.has(id));
  // Only root makes a file immutable.
  assert.equal(silent, process.getuid?.() === 0 ? [] : ["FILE_READ_ONLY"]);
});

/** Record of files.img with a path of the logger. */
function recordOf(path: string): number {
  const document = new DamagedSet("logger").open();
  const file = document.checkpoint.files.all.find(
    (each) => each.path === `/var/lib/crimg-demo/logger/${path}`,
  );
  return file?.origin.record as number;
}

test.run();
