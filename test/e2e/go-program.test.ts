/** A program in Go, whose runtime reserves and gives back much memory, comes back without a word: podman's own server. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { dump, needCriu } from "../helpers/criu.js";
import { findingsOf, placesFor } from "../helpers/journey.js";
import { cleanUp, gone, kill, type Live, start, until } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { exchange } from "../helpers/services.js";
import { checkpointed } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const test = suite("a program in Go");
test.before(() => {
  needCriu();
  needs("podman");
});
test.after(cleanUp);

async function startServer(work: string): Promise<Live> {
  const socket = join(work, "socket");
  const storage = ["--root", join(work, "root"), "--runroot", join(work, "run"), "--storage-driver", "vfs"];
  const live = await start(
    ["/usr/bin/podman", ...storage, "system", "service", "--time", "0", `unix://${socket}`],
    { cwd: work },
  );
  await until("the socket", () => existsSync(socket));
  assert.match(await ping(work), /OK$/);
  return live;
}

function ping(work: string): Promise<string> {
  const request = "GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n";
  return exchange({ path: join(work, "socket") }, request, (answer) => answer.endsWith("OK"));
}

test("criu's set is valid without a finding, and restored without a remark", async () => {
  const { work, images } = placesFor("go");
  const live = await startServer(work);
  await dump(live.pid, images);
  const { findings } = await findingsOf(images);
  assert.equal(findings, []);
  const { code, stderr } = await crimg(["restore", images, "--detach"]);
  assert.equal([code, stderr], [0, ""]);
  assert.match(await ping(work), /OK$/);
  await kill(live);
});

test("a stream of crimg's comes back as well", async () => {
  const { work } = placesFor("go-stream");
  const live = await startServer(work);
  const image = join(work, "image.ckpt");
  await checkpointed(live, image);
  await gone(live.pid);
  const { code, stderr } = await crimg(["restore", image, "--backend", "slim", "--detach"]);
  assert.equal([code, stderr], [0, ""]);
  assert.match(await ping(work), /OK$/);
  await kill(live);
});

test.run();
