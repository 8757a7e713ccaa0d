/** What tasks are besides their memory and files, through the slim backend: credentials, filters, stops, ends. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cleanUp, freshDirectory, goesOn, progress, statOf, until } from "../helpers/live.js";
import { needsSlim, survives } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("tasks through slim", {}, 120);
const dir = freshDirectory("slim-tasks");

slim.before(needsSlim);
slim.after(cleanUp);

slim("attributes of tasks come back; a stopped one stays stopped until it is continued", async () => {
  const work = join(dir, "attributes");
  mkdirSync(work);
  const live = await survives("attributes", work, 2);
  const [, stopped] = /^stopped (\d+)$/m.exec(readFileSync(live.log, "utf8")) ?? [];
  const pid = Number(stopped);
  assert.is(statOf(pid)?.state, "T");
  process.kill(pid, "SIGCONT");
  await until("the stopped task to go on", () => statOf(pid)?.state === "S");
  await goesOn(live.log, 10);
  assert.equal(progress(live.log).failures, []);
});

slim.run();
