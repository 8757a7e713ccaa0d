import { spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { Journal } from "../../../../src/backends/slim/journal.js";
import { Names } from "../../../../src/backends/slim/names.js";
import { until } from "../../../helpers/live.js";
import { skip, suite } from "../../../helpers/suite.js";

const test = suite("journal of names");
const dir = mkdtempSync(join(tmpdir(), "crimg-journal-"));

test.before(() => {
  if (process.arch !== "x64") skip("the slim backend supports x86-64 only");
});
test.after(() => rmSync(dir, { recursive: true, force: true }));

test("undo removes what was noted, last first, and nothing else", () => {
  const journal = new Journal();
  const [own, kept, other] = ["own", "kept", "other"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  journal.name(own);
  mkdirSync(own);
  journal.name(join(own, "inside"));
  writeFileSync(join(own, "inside"), "");
  const id = journal.name(kept);
  writeFileSync(kept, "");
  journal.forget(id);
  // Noted for a link to `kept`, but somebody else was there first.
  journal.name(other, statSync(kept, { bigint: true }));
  writeFileSync(other, "");
  journal.undo();
  assert.equal(readdirSync(dir).sort(), ["kept", "other"]);
  for (const name of [kept, other]) rmSync(name);
});

test("a name is removed from the file that it was noted for", () => {
  const journal = new Journal();
  const [file, link] = [join(dir, "file"), join(dir, "link")];
  writeFileSync(file, "");
  journal.name(link, statSync(file, { bigint: true }));
  linkSync(file, link);
  journal.undo();
  assert.equal(readdirSync(dir), ["file"]);
  rmSync(file);
});

test("what is to stay stays, and a journal without entries starts no guard", () => {
  const journal = new Journal();
  journal.end();
  journal.undo();
  journal.name(join(dir, "stays"));
  writeFileSync(join(dir, "stays"), "");
  journal.end();
  journal.undo();
  assert.ok(existsSync(join(dir, "stays")));
  rmSync(join(dir, "stays"));
});

test("whoever kills the process: its names go, bytes that are no text with them, and settings come back", async () => {
  const setting = join(dir, "setting");
  writeFileSync(setting, "45");
  const program = `
    import { writeFileSync } from "node:fs";
    import { Journal } from ${JSON.stringify(source("journal"))};
    import { Names } from ${JSON.stringify(source("names"))};
    import { textToBytes } from ${JSON.stringify(fileURLToPath(new URL("../../../../src/io/text.ts", import.meta.url)))};
    const journal = new Journal();
    const names = new Names(journal);
    names.make(${JSON.stringify(dir)}, "a\\nb\\udcff", (name) => writeFileSync(textToBytes(name), ""));
    names.withDirectories(${JSON.stringify(join(dir, "one/two"))}, () => {
      journal.value(${JSON.stringify(setting)}, "45");
      writeFileSync(${JSON.stringify(setting)}, "1");
      process.kill(process.pid, "SIGKILL");
    });`;
  const file = join(dir, "program.mts");
  writeFileSync(file, program);
  const { signal, stderr } = spawnSync(process.execPath, ["--import", "tsx", file], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
  });
  assert.is(signal, "SIGKILL", stderr);
  await until("the guard", () => readdirSync(dir).length === 2 && readFileSync(setting, "utf8") === "45");
});

test("names of ours are not made longer by the next run", () => {
  const names = new Names(new Journal());
  const first = names.fresh("/d", "/x/log");
  assert.match(first, /^\/d\/\.crimg-[0-9a-f]{12}-log$/);
  assert.match(names.fresh("/d", first), /^\/d\/\.crimg-[0-9a-f]{12}-log$/);
  assert.ok(names.fresh("/d", "x".repeat(255)).length < 255);
});

test.run();

function source(name: string): string {
  return fileURLToPath(new URL(`../../../../src/backends/slim/${name}.ts`, import.meta.url));
}
