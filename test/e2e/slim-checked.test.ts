/** The file system is checked before a restart: whatever became of a file since the checkpoint is told, nothing starts. */
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { crimg } from "../helpers/cli.js";
import { cleanUp, freshDirectory, goesOn, progress, startProgram, statOf } from "../helpers/live.js";
import { checkpointed, needsSlim, restored } from "../helpers/slim.js";
import { suite } from "../helpers/suite.js";

const slim = suite("slim engine: checked files", {}, 240);

slim.before(needsSlim);
slim.after(cleanUp);

interface Change {
  readonly what: string;
  /** The finding, and whether it keeps the restart from beginning. */
  readonly rule: string;
  readonly stops: boolean;
  readonly change: (file: string) => void;
}

const CHANGES: readonly Change[] = [
  {
    what: "another file is renamed over it",
    rule: "FILE_REPLACED",
    stops: true,
    change(file) {
      writeFileSync(`${file}.new`, readFileSync(file));
      renameSync(`${file}.new`, file);
    },
  },
  {
    what: "it is replaced by a file of the same size",
    rule: "FILE_REPLACED",
    stops: true,
    change(file) {
      const { size } = statSync(file);
      rmSync(file);
      writeFileSync(file, Buffer.alloc(size, "x"));
    },
  },
  { what: "it is cut", rule: "FILE_SIZE", stops: true, change: (file) => truncateSync(file, 16) },
  { what: "it grows", rule: "FILE_SIZE", stops: true, change: (file) => appendFileSync(file, "more") },
  {
    what: "only its time changes",
    rule: "FILE_MODIFIED",
    stops: false,
    change: (file) => utimesSync(file, 1_000_000_000, 1_000_000_000),
  },
  {
    what: "its permissions change",
    rule: "FILE_MODE",
    stops: true,
    change: (file) => chmodSync(file, 0o600),
  },
  { what: "it is deleted", rule: "FILE_MISSING", stops: true, change: (file) => rmSync(file) },
];

for (const { what, rule, stops, change } of CHANGES)
  slim(`${what}: ${rule}`, async () => {
    const work = freshDirectory("checked");
    const live = await startProgram("logger", work);
    await goesOn(live.log, 2);
    const image = join(work, "image.ckpt");
    await checkpointed(live, image);
    const clean = await crimg(["validate", image, "--root", "/"]);
    assert.not.match(clean.stdout, /FILE_/);
    const file = join(work, "data/records");
    const aside = join(work, "aside");
    const before = statSync(file);
    linkSync(file, aside);
    copyFileSync(file, join(work, "bytes"));
    change(file);
    const found = JSON.parse((await crimg(["validate", image, "--root", "/", "--json"])).stdout);
    const ids = found.findings.map(
      ({ id, severity }: { id: string; severity: string }) => `${id} ${severity}`,
    );
    assert.ok(ids.includes(`${rule} ${stops ? "error" : "warning"}`), ids.join());
    const restore = ["restore", image, "--backend", "slim", "--detach"];
    const refused = await crimg(stops ? restore : [...restore, "--dry-run"]);
    assert.is(refused.code, stops ? 1 : 0, refused.stdout + refused.stderr);
    assert.match(refused.stdout + refused.stderr, new RegExp(rule));
    assert.is(statOf(live.pid)?.state ?? "Z", "Z");
    // As it was again.
    rmSync(file, { force: true });
    linkSync(aside, file);
    writeFileSync(file, readFileSync(join(work, "bytes")));
    chmodSync(file, before.mode & 0o7777);
    utimesSync(file, before.atimeMs / 1000, before.mtimeMs / 1000);
    const again = await crimg(["validate", image, "--root", "/"]);
    assert.is(again.code, 0, again.stdout);
    await restored(image);
    await goesOn(live.log, 4);
    assert.equal(progress(live.log).failures, []);
  });

slim(
  "what was changed on purpose is accepted with --accept-file, or taken as it is with --force",
  async () => {
    for (const words of [["--accept-file", "**/records"], ["--force"]]) {
      const work = freshDirectory("accepted");
      const live = await startProgram("logger", work);
      await goesOn(live.log, 2);
      const image = join(work, "image.ckpt");
      await checkpointed(live, image);
      appendFileSync(join(work, "data/records"), "more");
      const restore = ["restore", image, "--backend", "slim", "--detach", ...words];
      const { code, stdout, stderr } = await crimg(restore);
      assert.is(code, 0, stdout + stderr);
      await goesOn(live.log, 4);
      assert.equal(progress(live.log).failures, []);
    }
  },
);

slim("a program that has been replaced by another build is told before anything starts", async () => {
  const work = freshDirectory("build");
  const live = await startProgram("logger", work);
  await goesOn(live.log, 2);
  const image = join(work, "image.ckpt");
  await checkpointed(live, image);
  const shown = JSON.parse((await crimg(["show", image, "files", "--json"])).stdout);
  assert.match(JSON.stringify(shown), /logger/);
  const moved = join(work, "another");
  copyFileSync("/bin/true", moved);
  const program = `/proc/${process.pid}/exe`;
  assert.ok(statSync(program).isFile());
  const path = programOf(image);
  const edited = await crimg([
    "restore",
    image,
    "--backend",
    "slim",
    "--detach",
    "--remap-path",
    `${path}=${moved}`,
  ]);
  assert.is(edited.code, 1, edited.stdout + edited.stderr);
  assert.match(edited.stdout + edited.stderr, /FILE_BUILD_ID|FILE_SIZE/);
  await restored(image);
  await goesOn(live.log, 2);

  function programOf(stream: string): string {
    const found = /[^\0]*\/programs\/logger/.exec(readFileSync(stream, "latin1"));
    return found?.[0].slice(found[0].lastIndexOf("\x00") + 1) ?? "";
  }
});

slim.run();
