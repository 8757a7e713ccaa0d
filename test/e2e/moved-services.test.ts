/** Debian's own servers and sqlite, dumped, moved, edited and restored; and what no image edit can move. */

import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimgJson } from "../helpers/cli.js";
import { needCriu } from "../helpers/criu.js";
import {
  asMoved,
  digestsOf,
  dumpAndMove,
  findingsOf,
  idsOf,
  openBy,
  placesFor,
  succeeds,
} from "../helpers/journey.js";
import { cleanUp, goesOn, kill, startProgram, treeOf, until } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { exchange, httpGet, redis, startNginx, startRedis } from "../helpers/services.js";
import { suite } from "../helpers/suite.js";

const services = suite("moved services");
services.before(() => {
  needCriu();
});
services.after(cleanUp);

services("redis-server counts on in another directory and keeps its append-only file there", async () => {
  const places = placesFor("redis");
  const { images, work, moved } = places;
  const server = await startRedis(work);
  assert.is(await redis(server, "INCR visits"), ":1");
  const open = openBy([server.pid]);
  const digests = await dumpAndMove(server.pid, places, server.options.dump);
  assert.not((await findingsOf(images)).valid);

  await succeeds("edit", images, "--remap-path", `${work}=${moved}`, "--in-place");
  assert.equal(idsOf((await findingsOf(images, "--host")).findings, "error"), []);
  await succeeds("restore", images, "--detach");
  assert.is(await redis(server, "INCR visits"), ":2");
  assert.is(await redis({ path: join(moved, "redis.sock") }, "INCR visits"), ":3");
  assert.equal(openBy([server.pid]), asMoved(open, places));
  const appended = readFileSync(join(moved, "appendonlydir/appendonly.aof.1.incr.aof"), "utf8");
  assert.is(appended.match(/INCR\r\n/g)?.length, 3);
  await kill(server);

  await succeeds("undo", images);
  assert.equal(digestsOf(images), digests);
});

services("nginx serves on; the path that it keeps in memory is reported, not moved", async () => {
  const places = placesFor("nginx");
  const { images, work, moved } = places;
  const server = await startNginx(work);
  const pids = treeOf(server.pid);
  assert.is(pids.length, 2);
  const open = openBy(pids);
  const digests = await dumpAndMove(server.pid, places, server.options.dump);
  assert.not((await findingsOf(images)).valid);

  const { code, json } = await crimgJson([
    "edit",
    images,
    "--remap-path",
    `${work}=${moved}`,
    "--in-place",
    "--scan-memory",
  ]);
  assert.is(code, 0);
  const mentions = (json as { mentions: { pid: number; text: string }[] }).mentions;
  assert.ok(
    mentions.some(({ pid, text }) => pid === pids[1] && text === work),
    "the old path stands in the memory of the worker",
  );

  assert.equal(idsOf((await findingsOf(images, "--host")).findings, "error"), []);
  await succeeds("restore", images, "--detach");
  assert.match(await httpGet(server, "/status"), /200 OK[\s\S]*serving/);
  assert.match(await httpGet({ path: join(moved, "nginx.sock") }, "/status"), /serving/);
  assert.match(await httpGet(server, "/hello.txt"), /404 Not Found/);
  assert.equal(openBy(pids), asMoved(open, places));
  assert.match(readFileSync(join(moved, "access.log"), "utf8"), /GET \/status/);
  await kill(server);

  await succeeds("undo", images);
  assert.equal(digestsOf(images), digests);
});

services("sockets answers on its moved paths and on its ports", async () => {
  const places = placesFor("sockets");
  const { images, work, moved } = places;
  const { pid, options, log } = await startProgram("sockets", work);
  await dumpAndMove(pid, places, options.dump);
  // Without a set of its own: the edits are made to a copy, and the set stays as criu wrote it.
  const digests = digestsOf(images);
  await succeeds("restore", images, "--remap-path", `${work}=${moved}`, "--detach");
  assert.equal(digestsOf(images), digests);
  await goesOn(log.replace(work, moved));
  for (const name of ["relative.sock", "absolute.sock"])
    assert.match(await exchange({ path: join(moved, name) }, "", () => false), /^tick \d+\n$/);
});

services("python commits its sqlite transaction in the other directory", async () => {
  const places = placesFor("commit");
  needs("sqlite3");
  const { images, work, moved } = places;
  const { pid, options, log } = await startProgram("transaction", work);
  await goesOn(log, 3);
  await dumpAndMove(pid, places, options.dump);
  await succeeds("restore", images, "--remap-path", `${work}=${moved}`, "--detach");
  await goesOn(log.replace(work, moved), 3);
  process.kill(pid, "SIGUSR1");
  await until("the commit", () => readFileSync(join(moved, "log"), "utf8").includes("committed "));
  // The program locks its database against others, so a copy is read.
  const copy = join(moved, "copy.sqlite");
  copyFileSync(join(moved, "data.sqlite"), copy);
  copyFileSync(join(moved, "data.sqlite-journal"), `${copy}-journal`);
  const { stdout, stderr } = spawnSync(
    "sqlite3",
    [copy, "PRAGMA integrity_check; SELECT count(*) = max(number) FROM rows;"],
    {
      encoding: "utf8",
      timeout: 10_000,
    },
  );
  assert.is(stdout, "ok\n1\n", stderr);
});

services.run();
