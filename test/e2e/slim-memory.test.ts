/** Memory of all kinds, through the slim backend. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needs } from "../helpers/needs.js";
import { needsSlim, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("memory through slim", {}, 120);
const dir = freshDirectory("slim-memory");

slim.before(needsSlim);
slim.after(cleanUp);

slim("memory of every kind comes back, and stays shared with whom it was shared", async () => {
  needs("gcc", "libc6-dev");
  const work = join(dir, "memory");
  mkdirSync(work);
  try {
    await survives("memory", work, 2);
  } finally {
    const [, segment] = /^segment (\d+)$/m.exec(readFileSync(join(work, "log"), "utf8")) ?? [];
    if (segment !== undefined) spawnSync("ipcrm", ["-m", segment]);
  }
});

slim("more memory than is read in one piece comes back word for word, by two threads", async () => {
  const work = join(dir, "large");
  mkdirSync(work);
  await survives("large", work, 2);
});

slim.run();
