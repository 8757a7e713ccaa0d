/** npm run demo, as a newcomer starts it. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { needCriu } from "../helpers/criu.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const demo = suite("npm run demo");
demo.after(cleanUp);

function run(env: Readonly<Record<string, string>>): string {
  const TMPDIR = freshDirectory("demo");
  const { status, stdout, stderr } = spawnSync("node", ["--import", "tsx", "scripts/demo.ts"], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 100_000,
    env: { ...process.env, TMPDIR, ...env },
  });
  assert.is(status, 0, stderr);
  assert.is(stderr, "");
  const leftovers = readdirSync(TMPDIR).filter((name) => /crimg-(demo|restore)-/.test(name));
  assert.equal(leftovers, []);
  return stdout;
}

demo("restarts the service where it can, and its log goes on", () => {
  const output = run({ CRIMG_CRIU: needCriu() });
  for (const what of ["images", "moved.ckpt"])
    assert.match(
      output,
      new RegExp(
        `\\ntick 11 ok\\n.* crimg restore \\S+/${what}\\n(.*\\n)?tick 12 ok\\ntick 13 ok\\ntick 14 ok\\n`,
      ),
    );
});

demo("says why it does not restart where it cannot", () => {
  const told = run({ CRIMG_CRIU: "/nowhere/criu" }).match(/\nvalid: .*\n\n# not restarted here: .*\n/g);
  assert.is(told?.length, 2);
});

demo.run();
