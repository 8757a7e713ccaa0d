/** Calls that wait, timers, queued signals, epoll and registers, through the slim backend. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cleanUp, freshDirectory, statOf, until } from "../helpers/live.js";
import { needsSlim, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("waits through slim", {}, 120);
const dir = freshDirectory("slim-waits");

slim.before(needsSlim);
slim.after(cleanUp);

slim("every call that waited waits on, and gets what it waited for", async () => {
  const work = join(dir, "waits");
  mkdirSync(work);
  const live = await survives("waits", work, 2);
  process.kill(live.pid, "SIGUSR2");
  await until("the end of the program", () => (statOf(live.pid)?.state ?? "Z") === "Z", undefined, 30);
  assert.is(readFileSync(live.log, "utf8").trim().split("\n").at(-1), "all woke");
});

slim.run();
