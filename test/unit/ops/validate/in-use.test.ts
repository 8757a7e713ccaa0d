import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { fileUsers } from "../../../../src/backends/slim/locks/conflicts.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { cleanUp, until } from "../../../helpers/live.js";
import { suite } from "../../../helpers/suite.js";
import { unpackedFiles } from "../../../helpers/unpacked-files.js";
import { DamagedSet } from "./damaged-set.js";

const test = suite("rules about files in use");
const HOLDERS: ChildProcess[] = [];

test.after(cleanUp);
test.after.each(() => {
  for (const holder of HOLDERS.splice(0)) holder.kill("SIGKILL");
});

function said(fixture: string, root: string): readonly (readonly [id: string, fd: unknown])[] {
  const document = new DamagedSet(fixture).open();
  const { findings } = validate(document, { root, users: fileUsers(), only: ["LOCK_TAKEN", "PROGRAM_BUSY"] });
  document.close();
  return findings.map(({ id, at }) => [id, at.fd]);
}

/** A task that holds a file as its descriptor 9. */
async function holding(path: string, script: string): Promise<void> {
  const holder = spawn("/bin/bash", ["-c", `${script}; echo held; exec sleep 600`, "bash", path], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  HOLDERS.push(holder);
  let out = "";
  holder.stdout.on("data", (text) => {
    out += text;
  });
  await until("the file to be held", () => out.includes("held"));
}

test("nobody uses the files", () => {
  for (const fixture of ["locks", "logger"]) assert.equal(said(fixture, unpackedFiles(fixture).root), []);
});

test("PROGRAM_BUSY: the program is open for writing, not for reading", async () => {
  const { root, home } = unpackedFiles("logger");
  const document = new DamagedSet("logger").open();
  const exe = document.checkpoint.tasks[0]?.exe?.path ?? "";
  document.close();
  assert.ok(exe.startsWith("/var/lib/crimg-demo/logger/"), exe);
  const path = join(home, exe.slice("/var/lib/crimg-demo/logger/".length));
  await holding(path, 'exec 9<"$1"');
  assert.equal(said("logger", root), []);
  await holding(path, 'exec 9>>"$1"');
  assert.equal(said("logger", root), [["PROGRAM_BUSY", undefined]]);
});

test("LOCK_TAKEN: a lock by another, and a lease on a file that is open elsewhere", async () => {
  const { root } = unpackedFiles("locks");
  const document = new DamagedSet("locks").open();
  const { locks } = document.checkpoint;
  const flock = locks.find(({ kind, type }) => kind === "flock" && type === "write");
  const lease = locks.find(({ kind, type, breaking }) => kind === "lease" && type === "write" && !breaking);
  document.close();
  await holding(join(root, flock?.file?.path ?? ""), 'exec 9<"$1"');
  assert.equal(said("locks", root), []);
  await holding(join(root, flock?.file?.path ?? ""), 'exec 9<"$1"; flock -n 9');
  assert.equal(said("locks", root), [["LOCK_TAKEN", flock?.fd]]);
  await holding(join(root, lease?.file?.path ?? ""), 'exec 9<"$1"');
  assert.equal(
    [...said("locks", root)].sort(),
    [
      ["LOCK_TAKEN", flock?.fd],
      ["LOCK_TAKEN", lease?.fd],
    ].sort(),
  );
});

test("the task that asks is no other", () => {
  const { root } = unpackedFiles("locks");
  const document = new DamagedSet("locks").open();
  const lease = document.checkpoint.locks.find(({ kind }) => kind === "lease");
  document.close();
  const fd = openSync(join(root, lease?.file?.path ?? ""), "r");
  assert.equal(said("locks", root), []);
  closeSync(fd);
});

test.run();
