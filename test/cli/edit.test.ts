import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { assertBytes } from "../helpers/bytes.js";
import { crimg, crimgJson } from "../helpers/cli.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("crimg edit, log and undo");
test.after(cleanUp);

const LOGGER = fixture("logger");
const REMAP = ["--remap-path", "/var/lib/crimg-demo=/srv/demo"];

interface EditJson {
  readonly changes: { image: string; record: number; field: string; before: unknown; after: unknown }[];
  readonly left: unknown[];
  readonly unmatched: string[];
  readonly warnings: string[];
  readonly applied?: { directory: string; files: { name: string }[] };
}

function assertSameSet(actual: string, expected: string): void {
  const names = (directory: string): string[] => fs.readdirSync(directory).sort();
  assert.equal(names(actual), names(expected));
  for (const name of names(expected))
    assertBytes(fs.readFileSync(path.join(actual, name)), fs.readFileSync(path.join(expected, name)), name);
}

function copyOf(set: string): string {
  const directory = path.join(freshDirectory("edit"), set);
  fs.cpSync(fixture(set), directory, { recursive: true });
  return directory;
}

test("a dry run shows every change with old and new value and writes nothing", async () => {
  const set = copyOf("logger");
  const { code, stdout } = await crimg(["edit", set, ...REMAP, "--dry-run"], { env: { COLUMNS: "200" } });
  assert.is(code, 0);
  assert.match(stdout, /5 changes in 1 image/);
  assert.match(
    stdout,
    /files\.img +3 +reg\.name +\/var\/lib\/crimg-demo\/logger\/log\/messages +\/srv\/demo\/logger\/log\/messages/,
  );
  assertSameSet(set, LOGGER);
});

test("modes are octal and flags are names, in single fields and in whole records, as in record", async () => {
  const edits = ["--set", "files.img[4].reg.mode=33152", "--set", "files.img[3].reg.flags=2"];
  const { stdout } = await crimg(
    ["edit", LOGGER, ...edits, "--fd", "1000:5=/etc/hosts,append", "--dry-run"],
    {
      env: { COLUMNS: "500" },
    },
  );
  assert.match(stdout, /reg\.mode +0100644 +0100600\n/);
  assert.match(stdout, /reg\.flags +0x8401 O_WRONLY\|O_APPEND\|O_LARGEFILE +0x2 O_RDWR\n/);
  assert.match(stdout, /\(absent\) +type REG \(1\), id 9, reg\.id 9, reg\.flags 0x402 O_RDWR\|O_APPEND,/);
  const named = await crimg([
    "edit",
    LOGGER,
    "--set",
    "files.img[3].reg.flags=O_RDONLY|O_ASYNC",
    "--dry-run",
  ]);
  assert.match(named.stdout, / 0x2000 FASYNC\n/);
  const { json } = await crimgJson(["edit", LOGGER, ...edits, "--dry-run"]);
  const mode = (json as EditJson).changes.find(({ field }) => field === "reg.mode");
  assert.equal([mode?.before, mode?.after], [0o100644, 0o100600]);
});

for (const image of ["core-1003.img", "fdinfo-3.img", "mm-1004.img", "pagemap-1005.img"])
  test(`an edit of a set with an unreadable ${image} warns that the result cannot be restored`, async () => {
    const set = copyOf("tree");
    const edit = ["edit", set, "--comm", "1007=other", "--dry-run"];
    assert.is((await crimg(edit)).stderr, "");
    fs.truncateSync(path.join(set, image), 13);
    const { code, stderr } = await crimg(edit);
    assert.is(code, 0);
    assert.match(
      stderr,
      new RegExp(`^warning: .*truncated.*; ${image} stays so, and the result cannot be restored`),
    );
  });

test("a new set: the original is untouched, log tells the edit, undo gives the original back", async () => {
  const home = freshDirectory("edit");
  const [moved, back] = [path.join(home, "moved"), path.join(home, "back")];
  const { code, stdout } = await crimg(["edit", LOGGER, ...REMAP, "-o", moved]);
  assert.is(code, 0, stdout);
  assert.match(stdout, /moved: 5 changes in files\.img\n/);
  const log = await crimg(["log", moved], { env: { COLUMNS: "200" } });
  assert.is(log.code, 0);
  assert.match(log.stdout, /--remap-path \/var\/lib\/crimg-demo=\/srv\/demo +5 +files\.img/);
  assert.is((await crimg(["undo", moved, "-o", back])).code, 0);
  assertSameSet(back, LOGGER);
  assert.is((await crimg(["undo", moved])).code, 0);
  assertSameSet(moved, LOGGER);
});

test("in place, several edits, and as many steps back", async () => {
  const set = copyOf("threads");
  assert.is((await crimg(["edit", set, "--comm", "1000=one", "--in-place"])).code, 0);
  assert.is((await crimg(["edit", set, "--expiry", "all=+1h", "--comm", "1000=two", "--in-place"])).code, 0);
  const log = await crimgJson(["log", set]);
  assert.is((log.json as { edits: unknown[] }).edits.length, 2);
  assert.is((await crimg(["undo", set, "--steps", "3"])).code, 2);
  assert.is((await crimg(["undo", set, "--steps", "2"])).code, 0);
  assertSameSet(set, fixture("threads"));
});

test("undo refuses a set that something else has changed, and log says which file", async () => {
  const set = copyOf("logger");
  await crimg(["edit", set, ...REMAP, "--in-place"]);
  fs.appendFileSync(path.join(set, "files.img"), "x");
  const before = fs.readFileSync(path.join(set, "files.img"));
  const undo = await crimg(["undo", set]);
  assert.is(undo.code, 2);
  assert.match(undo.stderr, /files\.img has been changed by another program/);
  assertBytes(fs.readFileSync(path.join(set, "files.img")), before);
  const log = await crimg(["log", set]);
  assert.is(log.code, 1);
  assert.match(log.stderr, /files\.img was changed by another program/);
});

test("a set that crimg never edited has an empty log and nothing to undo", async () => {
  const log = await crimg(["log", LOGGER]);
  assert.is(log.code, 0);
  assert.match(log.stdout, /no edits in/);
  assert.match((await crimg(["undo", LOGGER])).stderr, /nothing to undo/);
});

test("no match: exit 1, what was looked for, nothing written, unless allowed", async () => {
  const out = path.join(freshDirectory("edit"), "out");
  const args = ["edit", LOGGER, ...REMAP, "--hostname", "web2", "-o", out];
  const no = await crimg(args);
  assert.is(no.code, 1);
  assert.match(no.stderr, /nothing matched: --hostname web2: the set holds no UTS namespace/);
  assert.not.ok(fs.existsSync(out));
  const yes = await crimg([...args, "--allow-unmatched"]);
  assert.is(yes.code, 0);
  assert.ok(fs.existsSync(out));
});

test("the time of a breaking lease has no place in an image: exit 1 and the sentence", async () => {
  const { code, stderr } = await crimg(["edit", fixture("locks"), "--lease-expiry", "+30s", "--dry-run"]);
  assert.is(code, 1);
  assert.match(stderr, /CRIU stores no remaining time.*--lease 1000:10=settle/);
});

test("what is so already is no change: exit 0, and -o still makes the set", async () => {
  const out = path.join(freshDirectory("edit"), "out");
  const { code, stdout } = await crimg(["edit", LOGGER, "--comm", "1000=logger", "-o", out]);
  assert.is(code, 0);
  assert.match(stdout, /nothing to change/);
  assertSameSet(out, LOGGER);
});

test("an existing directory with files in it is refused", async () => {
  const out = freshDirectory("edit");
  fs.writeFileSync(path.join(out, "mine"), "");
  const { code, stderr } = await crimg(["edit", LOGGER, ...REMAP, "-o", out]);
  assert.is(code, 2);
  assert.match(stderr, /exists and is not empty/);
  assert.equal(fs.readdirSync(out), ["mine"]);
});

const USAGE: readonly [string[], RegExp][] = [
  [[], /nothing to edit/],
  [REMAP, /missing output: give -o DIR, --in-place or --dry-run/],
  [[...REMAP, "--dry-run", "--in-place"], /in-place/],
  [[...REMAP, "-o", "x", "--in-place"], /cannot|in-place/],
  [["--remap-path", "a=b", "--dry-run"], /--remap-path: invalid path "a" \(expected absolute paths/],
  [["--var", "x=y", ...REMAP, "--dry-run"], /recipe/],
  [["-f", "/nonexistent.yaml", "--dry-run"], /no such file/],
];
for (const [args, expected] of USAGE) {
  test(`crimg edit IMG ${args.join(" ")}: exit 2 and one sentence`, async () => {
    const { code, stderr, stdout } = await crimg(["edit", LOGGER, ...args]);
    assert.is(code, 2);
    assert.is(stdout, "");
    assert.match(stderr, expected);
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
  });
}

test("flags may stand before and after the image, each as often as wanted", async () => {
  const { json } = await crimgJson([
    "edit",
    "--comm",
    "1000=x",
    "--drop-fd",
    "1000:4",
    "--drop-fd",
    "1000:5",
    LOGGER,
    "--dry-run",
  ]);
  assert.equal((json as EditJson).unmatched, []);
  assert.ok((json as EditJson).changes.length >= 6);
});

test("the JSON holds changes, what was left, and what was written, and no more after an error", async () => {
  const out = path.join(freshDirectory("edit"), "out");
  const { code, json } = await crimgJson(["edit", LOGGER, ...REMAP, "-o", out]);
  const answer = json as EditJson;
  assert.is(code, 0);
  assert.equal(answer.changes[0], {
    edit: "--remap-path /var/lib/crimg-demo=/srv/demo",
    image: "files.img",
    record: 0,
    field: "reg.name",
    before: "/var/lib/crimg-demo/logger/bin/logger",
    after: "/srv/demo/logger/bin/logger",
  });
  assert.is(answer.applied?.directory, out);
  assert.equal(
    answer.applied?.files.map(({ name }) => name),
    ["files.img"],
  );
  const error = await crimgJson(["edit", LOGGER, "--remap-path", "x", "--dry-run"]);
  assert.is(error.code, 2);
  assert.is((error.json as { error: { code: string } }).error.code, "USAGE");
});

test("a recipe with variables, policies and flags beside it", async () => {
  const home = freshDirectory("edit");
  const recipe = path.join(home, "move.yaml");
  fs.writeFileSync(
    recipe,
    `vars: {to: /srv}\nremap-path: {/var/lib/crimg-demo: '\${to}/x'}\npolicies: [{path: '**/log/*', action: reopen}]\n`,
  );
  const { code, json } = await crimgJson([
    "edit",
    LOGGER,
    "-f",
    recipe,
    "--var",
    "to=/opt",
    "--comm",
    "1000=y",
    "--dry-run",
  ]);
  assert.is(code, 0);
  const changes = (json as EditJson).changes.map(({ field, after }) => `${field} ${after}`);
  assert.ok(changes.includes("reg.name /opt/x/logger/log/messages"), changes.join("\n"));
  assert.ok(changes.includes("reg.mode undefined"), changes.join("\n"));
  assert.ok(changes.includes("tc.comm y"), changes.join("\n"));
});

test("the log of an edit by policies names them", async () => {
  const home = freshDirectory("edit");
  const [recipe, set] = [path.join(home, "move.yaml"), path.join(home, "set")];
  fs.writeFileSync(recipe, "policies: [{path: '**/log/*', action: reopen}]\n");
  assert.is((await crimg(["edit", LOGGER, "-f", recipe, "-o", set])).code, 0);
  const { json } = await crimgJson(["log", set]);
  const [entry] = (json as { edits: { edits: string[] }[] }).edits;
  assert.equal(entry?.edits, ["policy path=**/log/* reopen"]);
});

test("undo --dry-run says what undo does, and writes nothing", async () => {
  const set = path.join(freshDirectory("edit"), "set");
  await crimg(["edit", LOGGER, "--comm", "1000=y", "-o", set]);
  const before = fs.readFileSync(path.join(set, "core-1000.img"));
  const { code, stdout } = await crimg(["undo", set, "--dry-run"]);
  assert.is(code, 0);
  assert.match(stdout, /set: would restore core-1000\.img\n {2}\S+Z --comm 1000=y\n$/);
  assert.equal(fs.readFileSync(path.join(set, "core-1000.img")), before);
  const { json } = await crimgJson(["undo", set, "--dry-run"]);
  assert.equal(Object.keys(json as object), ["schema", "command", "image", "undone", "files", "left"]);
  assert.match((await crimg(["undo", set])).stdout, /set: restored core-1000\.img\n/);
});

for (const [given, answer] of [
  ["tto=/x", 'unknown variable "tto" of --var; did you mean "to"?'],
  ["elsewhere=/x", 'unknown variable "elsewhere" of --var (expected to, from)'],
] as const)
  test(`a variable that no recipe knows is refused: --var ${given}`, async () => {
    const recipe = path.join(freshDirectory("edit"), "move.yaml");
    fs.writeFileSync(recipe, `vars: {to: /srv}\nremap-path: {'\${from}': '\${to}/x'}\n`);
    const args = ["edit", LOGGER, "-f", recipe, "--var", "from=/var/lib", "--var", given, "--dry-run"];
    const { code, stdout, stderr } = await crimg(args);
    assert.equal([code, stdout, stderr], [2, "", `error: ${answer}\n`]);
  });

test("--scan-memory tells where the old value stands", async () => {
  const { code, stdout } = await crimg(["edit", LOGGER, ...REMAP, "--dry-run", "--scan-memory"], {
    env: { COLUMNS: "200" },
  });
  assert.is(code, 0);
  assert.match(
    stdout,
    /still in memory \(not edited\)\n *TASK +ADDRESS +IMAGE +TEXT\n *1000 +0x[0-9a-f]+ +pages-1\.img +\/var\/lib\/crimg-demo/,
  );
});

test("the parent link of an incremental set leads to the same set from the new place", async () => {
  const home = freshDirectory("edit");
  const set = path.join(home, "2");
  fs.cpSync(LOGGER, path.join(home, "1"), { recursive: true });
  fs.cpSync(LOGGER, set, { recursive: true });
  fs.symlinkSync("../1", path.join(set, "parent"));
  fs.mkdirSync(path.join(home, "elsewhere/deeper"), { recursive: true });
  const out = path.join(home, "elsewhere/deeper/2");
  assert.is((await crimg(["edit", set, ...REMAP, "-o", out])).code, 0);
  assert.is(fs.realpathSync(path.join(out, "parent")), path.join(home, "1"));
  assert.not.ok(path.isAbsolute(fs.readlinkSync(path.join(out, "parent"))));
});

test("pages that an edit changes are never changed in the original, however they are shared", async () => {
  const home = freshDirectory("edit");
  const set = copyOf("container");
  const [first, second] = [path.join(home, "1"), path.join(home, "2")];
  const env = /^([A-Z]+)=([^\0]+)/m.exec((await crimg(["show", set, "env"])).stdout);
  const name = env?.[1] ?? "PATH";
  await crimg(["edit", set, "--hostname", "web2", "-o", first]);
  const { code, stderr } = await crimg(["edit", first, "--env", `1:${name}=x`, "-o", second]);
  assert.is(code, 0, stderr);
  const in_place = await crimg(["edit", first, "--env", `1:${name}=y`, "--in-place"]);
  assert.is(in_place.code, 0, in_place.stderr);
  const pages = fs.readdirSync(set).filter((file) => file.startsWith("pages-"));
  for (const file of pages)
    assertBytes(
      fs.readFileSync(path.join(set, file)),
      fs.readFileSync(path.join(fixture("container"), file)),
      file,
    );
});

test("--no-undo keeps no value of the edit, neither old nor new, and without it a note says so", async () => {
  const set = copyOf("logger");
  const { stdout: shown } = await crimg(["show", set, "env", "--json"]);
  const { tasks } = JSON.parse(shown) as { tasks: { environment: { name: string; value: string }[] }[] };
  const { name: key = "", value: old = "" } = tasks[0]?.environment[0] ?? {};
  assert.ok(old.length > 3, old);
  const fresh = "Q7".padEnd(old.length, "z").slice(0, old.length);
  const edit = ["edit", set, "--env", `1000:${key}=${fresh}`, "--in-place"];
  const { code, stderr } = await crimg([...edit, "--no-undo"]);
  assert.is(code, 0);
  assert.not.match(stderr, /edit log/);
  const log = fs.readFileSync(path.join(set, "crimg-edits.jsonl"), "utf8");
  for (const secret of [old, fresh])
    for (const text of [secret, Buffer.from(secret).toString("base64").slice(0, 4)])
      assert.not(log.includes(text), `${text} in ${log}`);
  assert.match((await crimg(["log", set])).stdout, /--env \(value not kept\)/);
  const undo = await crimg(["undo", set]);
  assert.ok(undo.code !== 0);
  assert.match(undo.stderr, /was made with --no-undo or --redact: its old values were not kept/);
  const second = await crimg(["edit", set, "--env", `1000:${key}=${old}`, "--in-place"]);
  assert.match(second.stderr, /^note: the old value stays in the edit log, for undo; --no-undo/m);
});

test.run();
