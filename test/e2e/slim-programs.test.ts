/** The live programs that criu is tested with, through the slim backend. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { needsSlim, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("live programs through slim", {}, 180);
const dir = freshDirectory("slim-programs");

slim.before(needsSlim);
slim.after(cleanUp);

for (const name of ["threads", "tree", "locks", "transaction", "renumbered"])
  slim(`${name} comes back and finds nothing changed`, async () => {
    const work = join(dir, name);
    mkdirSync(work);
    await survives(name, work, 2);
  });

slim.run();
