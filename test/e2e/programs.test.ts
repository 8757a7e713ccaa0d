/** The ground under the other end-to-end tests: CRIU alone brings each live program back, and it goes on. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimgJson } from "../helpers/cli.js";
import { dump, needCriu, restore } from "../helpers/criu.js";
import type { JsonFinding } from "../helpers/journey.js";
import { cleanUp, freshDirectory, goesOn, locksOf, progress, startProgram } from "../helpers/live.js";
import { exchange, httpGet, redis, startNginx, startRedis } from "../helpers/services.js";
import { suite } from "../helpers/suite.js";

const programs = suite("live programs");
programs.before(() => {
  needCriu();
});
programs.after(cleanUp);

function places(name: string): { work: string; images: string } {
  const dir = freshDirectory(name);
  const place = { work: join(dir, "work"), images: join(dir, "images") };
  for (const path of Object.values(place)) mkdirSync(path);
  return place;
}

/** What `validate --suspicious` says of a checkpoint: ids of warnings. */
async function suspected(images: string): Promise<string[]> {
  const { json } = await crimgJson(["validate", images, "--suspicious"]);
  const { findings } = json as { readonly findings: readonly JsonFinding[] };
  return findings.map(({ id }) => id).filter((id) => id.startsWith("SUSPICIOUS_"));
}

for (const name of [
  "logger",
  "locks",
  "deleted",
  "sockets",
  "threads",
  "tree",
  "terminal",
  "counter",
  "transaction",
]) {
  programs(`${name} goes on after dump and restore`, async () => {
    const { work, images } = places(name);
    const { pid, log, options } = await startProgram(name, work);
    await goesOn(log, 2);
    const locks = locksOf(pid);
    await dump(pid, images, options.dump);
    assert.equal(await suspected(images), name === "sockets" ? ["SUSPICIOUS_SOCKET"] : []);
    const before = progress(log).ticks;
    await restore(images, options.restore);
    await goesOn(log, 10);
    assert.ok(progress(log).ticks > before);
    assert.equal(progress(log).failures, []);
    assert.equal(locksOf(pid), locks);
  });
}

programs("sockets answers on each of its listeners after dump and restore", async () => {
  const { work, images } = places("listeners");
  const { pid, options } = await startProgram("sockets", work);
  await dump(pid, images, options.dump);
  await restore(images, options.restore);
  for (const name of ["relative.sock", "absolute.sock"]) {
    assert.match(await exchange({ path: join(work, name) }, "", () => false), /^tick \d+\n$/);
  }
});

programs("redis-server counts on after dump and restore", async () => {
  const { work, images } = places("redis");
  const server = await startRedis(work);
  assert.is(await redis(server, "INCR visits"), ":1");
  await dump(server.pid, images, server.options.dump);
  assert.equal(await suspected(images), []);
  await restore(images, server.options.restore);
  assert.is(await redis(server, "INCR visits"), ":2");
  assert.is(await redis({ path: join(work, "redis.sock") }, "INCR visits"), ":3");
});

programs("nginx serves on after dump and restore", async () => {
  const { work, images } = places("nginx");
  const server = await startNginx(work);
  await dump(server.pid, images, server.options.dump);
  assert.equal(await suspected(images), []);
  await restore(images, server.options.restore);
  assert.match(await httpGet(server, "/hello.txt"), /200 OK[\s\S]*hello from nginx/);
  assert.match(await httpGet({ path: join(work, "nginx.sock") }, "/hello.txt"), /hello from nginx/);
});

programs.run();
