import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as assert from "uvu/assert";
import { hostProcess, killTree, takenPids } from "../../../src/backends/processes.js";
import { treeOf, until } from "../../helpers/live.js";
import { suite } from "../../helpers/suite.js";

const test = suite("processes of the host");

/** A shell that runs a script, in a session of its own. */
function shell(script: string): ChildProcess & { readonly pid: number } {
  const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  assert.ok(child.pid);
  return child as ChildProcess & { readonly pid: number };
}

test("a process is read with its name, state and parent", () => {
  const own = hostProcess(process.pid);
  assert.is(own?.ppid, process.ppid);
  assert.is(own?.pid, process.pid);
  assert.match(own?.state ?? "", /^[RS]$/);
  assert.is(hostProcess(2 ** 22 + 1), undefined);
});

test("free pids are free at once, those of living processes are told at once", async () => {
  const started = Date.now();
  assert.equal(await takenPids([2 ** 22 + 1], 30), []);
  assert.equal(
    (await takenPids([process.pid, 2 ** 22 + 1], 30)).map(({ pid }) => pid),
    [process.pid],
  );
  assert.ok(Date.now() - started < 1000);
});

test("a zombie is waited for until its parent looks, and told when it does not", async () => {
  // The shell becomes a program that does not wait for the child that it had.
  const parent = spawn("/usr/bin/env", ["bash", "-c", "sleep 0.3 & echo $!; exec sleep 1.5"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const zombie = Number(line.toString());
  await until("the zombie", () => hostProcess(zombie)?.state === "Z");
  const [taken] = await takenPids([zombie], 0.2);
  assert.is(taken?.state, "Z");
  assert.is(taken?.ppid, parent.pid);
  assert.equal(await takenPids([zombie], 10), []);
});

test("a tree is killed with all its descendants", async () => {
  const root = shell("(sleep 60 & sleep 60) & sleep 60 & sleep 60");
  await until("the tree", () => treeOf(root.pid).length >= 4);
  const pids = treeOf(root.pid);
  killTree(root.pid);
  await once(root, "exit");
  await until("all of it to be gone", () => pids.every((pid) => (hostProcess(pid)?.state ?? "Z") === "Z"));
});

test.run();
