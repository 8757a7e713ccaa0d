import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { ROOT_RULES, STREAM_ROOT_RULES } from "../../../../src/ops/validate/root/rules.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { cleanUp } from "../../../helpers/live.js";
import { suite } from "../../../helpers/suite.js";
import { unpackedFiles } from "../../../helpers/unpacked-files.js";
import { DamagedStream, R, type StreamName } from "./damaged-stream.js";

const test = suite("rules about files below the root, of streams");
const RULES = [...ROOT_RULES, ...STREAM_ROOT_RULES].map(({ id }) => id);
const HAS_INODE = 2;
const HAS_MTIME = 8;
const found = new Set<string>();

test.after(cleanUp);

function findings(
  stream: DamagedStream | StreamName,
  root: string,
  watch: readonly string[] = [],
): readonly Finding[] {
  const document = (typeof stream === "string" ? new DamagedStream(stream) : stream).open();
  const { findings } = validate(document, { root, watch, only: RULES });
  document.close();
  for (const { id } of findings) found.add(id);
  return findings;
}

const ids = (list: readonly Finding[]): string[] => list.map(({ id }) => id);

/** The one finding that there must be. */
function only(list: readonly Finding[], id: string): Finding {
  assert.equal(ids(list), [id]);
  return list[0] as Finding;
}

for (const fixture of ["logger", "locks", "deleted", "sockets", "threads", "tree", "terminal"] as const)
  test(`the files of ${fixture} as they were are found in order`, () => {
    assert.equal(findings(fixture, unpackedFiles(fixture).root), []);
  });

test("FILE_MISSING names the record, the descriptor and the edit that fixes it", () => {
  const { root, home } = unpackedFiles("logger");
  rmSync(join(home, "etc/logger.conf"));
  const { at } = only(findings("logger", root), "FILE_MISSING");
  const document = new DamagedStream("logger").open();
  const file = document.checkpoint.files.all.find(({ path }) => path === at.path);
  assert.equal([at.record, at.pid, at.path?.endsWith("/etc/logger.conf")], [file?.origin.record, 1000, true]);
  renameSync(home, `${home}-moved`);
  assert.match(
    only(findings("logger", root), "FILE_MISSING").fix ?? "",
    "crimg edit logger.ckpt --remap-path /var/lib/crimg-demo/logger=NEWPATH",
  );
});

test("FILE_TYPE", () => {
  const { root, home } = unpackedFiles("logger");
  rmSync(join(home, "data/records"));
  mkdirSync(join(home, "data/records"));
  const { expected, found } = only(findings("logger", root), "FILE_TYPE");
  assert.equal([expected, found], ["a regular file", "a directory"]);
});

test("FILE_MODE, accepted by an edit of the image", () => {
  const { root, home } = unpackedFiles("logger");
  chmodSync(join(home, "data/records"), 0o600);
  const { expected, found, fix } = only(findings("logger", root), "FILE_MODE");
  assert.equal([expected, found], ["0644", "0600"]);
  assert.match(fix ?? "", "--accept-file /var/lib/crimg-demo/logger/data/records");
});

test("FILE_SIZE: what grew may be accepted by an edit", () => {
  const { root, home } = unpackedFiles("logger");
  writeFileSync(join(home, "data/records"), "more", { flag: "a" });
  const { expected, found, fix } = only(findings("logger", root), "FILE_SIZE");
  assert.equal([expected, found], ["352 bytes", "356 bytes"]);
  assert.match(fix ?? "", "data/records");
});

test("FILE_BUILD_ID", () => {
  const { root, home } = unpackedFiles("logger");
  copyFileSync(join(unpackedFiles("tree").home, "bin/tree"), join(home, "bin/logger"));
  assert.match(only(findings("logger", root), "FILE_BUILD_ID").expected ?? "", /^[0-9a-f]{40}$/);
});

test("FILE_MODIFIED and FILE_REPLACED: what FILE_IDENTITY says of time and inode", () => {
  const { root, home } = unpackedFiles("logger");
  const stat = statSync(join(home, "data/records"), { bigint: true });
  const stream = (seconds: bigint, inode: bigint, dev = 0n): DamagedStream => {
    const logger = new DamagedStream("logger");
    const file = logger.open().checkpoint.files.all.find(({ path }) => path?.endsWith("data/records"));
    const { flags } = logger.image.value(identity(logger, file?.id), R.FILE_IDENTITY);
    return logger.set(
      R.FILE_IDENTITY,
      {
        flags: flags | HAS_INODE | HAS_MTIME,
        dev,
        ino: inode,
        mtime_sec: stat.mtimeNs / 1_000_000_000n + seconds,
        mtime_nsec: Number(stat.mtimeNs % 1_000_000_000n),
      },
      (fields) => fields.file_objref === file?.id,
    );
  };
  assert.equal(findings(stream(0n, stat.ino), root), []);
  const modified = only(findings(stream(-1n, stat.ino), root), "FILE_MODIFIED");
  assert.is(Date.parse(modified.found ?? "") - Date.parse(modified.expected ?? ""), 1000);
  const replaced = only(findings(stream(0n, stat.ino + 1n), root), "FILE_REPLACED");
  assert.equal([replaced.expected, replaced.found], [`inode ${stat.ino + 1n}`, `inode ${stat.ino}`]);
  assert.is(replaced.severity, "note");
  const levels = (dev: bigint) =>
    findings(stream(-1n, stat.ino + 1n, dev), root).map(({ id, severity }) => `${id} ${severity}`);
  assert.equal(levels(stat.dev), ["FILE_REPLACED error", "FILE_MODIFIED warning"]);
  assert.equal(levels(stat.dev + 1n), ["FILE_MODIFIED warning", "FILE_REPLACED note"]);
});

function identity(stream: DamagedStream, file: number | undefined): number {
  return stream.find(R.FILE_IDENTITY, ({ file_objref }) => file_objref === file);
}

test("LINK_REMAP: the name that a deleted file was kept under is gone", () => {
  const { root, home } = unpackedFiles("deleted");
  rmSync(join(home, "link_remap.13"));
  const { at } = only(findings("deleted", root), "LINK_REMAP");
  assert.is(at.path, "/var/lib/crimg-demo/deleted/link_remap.13");
});

test("GHOST_DIRECTORY and GHOST_PATH_TAKEN", () => {
  const { root, home } = unpackedFiles("deleted");
  writeFileSync(join(home, "gone"), "");
  only(findings("deleted", root), "GHOST_DIRECTORY");
  rmSync(join(home, "gone"));
  writeFileSync(join(home, "small"), "");
  assert.equal([...new Set(ids(findings("deleted", root)))], ["GHOST_PATH_TAKEN"]);
});

test("INOTIFY_PATH: what is watched is gone", () => {
  const { root } = unpackedFiles("terminal");
  const stream = new DamagedStream("terminal");
  const watch = stream.find(R.INOTIFY_WATCH);
  assert.match(stream.image.text(watch), "/var/lib/crimg-demo/terminal");
  stream.payload(watch, Buffer.from("/var/lib/crimg-demo/terminal/elsewhere\0"));
  only(findings(stream, root), "INOTIFY_PATH");
});

/** A unix listener, under another name. */
function withSocket(path: string): DamagedStream {
  const stream = new DamagedStream("sockets");
  const name = Buffer.alloc(110);
  name.writeUInt16LE(1);
  name.write(path, 2);
  return stream.set(R.SOCKET_UNIX, { laddr: name, laddr_len: 2 + path.length + 1 }, ({ laddr }) =>
    (laddr as Buffer).includes("absolute.sock"),
  );
}

test("UNIX_DIRECTORY, and the mkdir that fixes it", () => {
  const { root } = unpackedFiles("sockets");
  const { fix } = only(findings(withSocket("/run/app/socket"), root), "UNIX_DIRECTORY");
  execFileSync("sh", ["-c", fix as string]);
  assert.equal(findings(withSocket("/run/app/socket"), root), []);
});

test("UNIX_PATH, and the mv that fixes it", () => {
  const { root, home } = unpackedFiles("sockets");
  writeFileSync(join(home, "taken"), "");
  const stream = () => withSocket("/var/lib/crimg-demo/sockets/taken");
  const { fix } = only(findings(stream(), root), "UNIX_PATH");
  execFileSync("sh", ["-c", fix as string]);
  assert.equal(findings(stream(), root), []);
});

test("a socket whose name was gone is bound to no path", () => {
  const { root, home } = unpackedFiles("sockets");
  writeFileSync(join(home, "deleted.sock"), "");
  assert.equal(findings("sockets", root), []);
});

test("WATCH_MISSING: files that the policy expects", () => {
  const { root } = unpackedFiles("logger");
  only(findings("logger", root, ["/var/lib/crimg-demo/logger/run/*.tmp"]), "WATCH_MISSING");
});

test("every rule was found to speak", () => {
  // Of both families; only root makes a file immutable, as the test of sets does.
  assert.equal(
    RULES.filter((id) => !found.has(id)),
    ["FILE_READ_ONLY"],
  );
});

test.run();
