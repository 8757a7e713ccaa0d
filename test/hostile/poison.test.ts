import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { rendered } from "../../src/cli/line.js";
import { viewLines } from "../../src/cli/show/lines.js";
import { recordLines } from "../../src/cli/show/record.js";
import { summaryLines } from "../../src/cli/show/summary.js";
import { styleFor } from "../../src/cli/style.js";
import {
  type Document,
  isCrimgError,
  openDocument,
  recordView,
  summaryView,
  VIEWS,
  type ViewName,
} from "../../src/index.js";
import { openFileSet } from "../../src/open.js";
import { memoryFiles } from "../helpers/build-set.js";
import { type CliResult, CRIMG, crimg } from "../helpers/cli.js";
import { FIXTURE_NAMES, fixture, STREAM_FIXTURES } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { OnTerminal } from "../helpers/on-terminal.js";
import {
  assertClean,
  type Dose,
  POISON,
  poisonedSet,
  poisonedStream,
  withoutColour,
} from "../helpers/poison.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const DOSES: readonly Dose[] = ["texts", "texts and bytes"];
const VIEW_NAMES = Object.keys(VIEWS) as ViewName[];
const LOOK = { style: styleFor(1, "always"), width: 80 };
/** A name of a directory holds what a name of a host file may. */
const HOME = join(freshDirectory("poison"), "\u001b[31m\u0007\r\u009b\u202e\u2066\n");
mkdirSync(HOME);

const test = suite("hostile: text that a terminal would obey", undefined, 300);
test.after(cleanUp);

/** Every line that any view makes of a document; what cannot be shown says so in a sentence, which is one too. */
function* everyLine(document: Document): Generator<string> {
  const outputs = [
    () => summaryLines(summaryView(document), LOOK),
    ...VIEW_NAMES.map(
      (view) => () => viewLines(view, VIEWS[view](document, { threads: true, runs: true }), LOOK),
    ),
    ...recordNames(document).map((name) => () => recordLines(recordView(document, name), LOOK)),
  ];
  for (const output of outputs)
    try {
      for (const line of output()) yield rendered(line);
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      yield rendered(error.message);
    }
}

function recordNames(document: Document): string[] {
  return document.family === "criu"
    ? document.set.files.map(({ name }) => name)
    : ["FILE_NAME", "STRING", "BUFFER", "TASK"];
}

for (const name of FIXTURE_NAMES)
  for (const dose of DOSES)
    test(`every view of the set ${name}, poison in its ${dose}`, () => {
      const lines = [...everyLine(openFileSet(memoryFiles(poisonedSet(name, dose), POISON)))];
      assert.ok(lines.some((line) => line.includes("\\x1b[31m\\x07\\r\\u{9b}\\u{202e}\\x9b\\xff")));
      for (const line of lines) assertClean(Buffer.from(line), name, { colour: true });
    });

for (const name of STREAM_FIXTURES)
  test(`every view of the stream ${name}`, () => {
    const file = join(HOME, `${name}.ckpt`);
    writeFileSync(file, poisonedStream(name));
    const lines = [...everyLine(openDocument(file))];
    assert.ok(lines.some((line) => line.includes("\\x1b[31m\\x07\\r")));
    for (const line of lines) assertClean(Buffer.from(line), name, { colour: true });
  });

/** Runs a command plain, with colours and for programs: nothing raw in either, the same words in both. */
async function runs(args: readonly string[], options: { readonly input?: Buffer } = {}): Promise<CliResult> {
  const what = args.map((arg) => JSON.stringify(arg)).join(" ");
  const run = options.input === undefined ? warmCrimg : crimg;
  const [plain, coloured, json] = await Promise.all([
    run(args, options),
    run([...args, "--color", "always"], options),
    run([...args, "--json"], options),
  ]);
  for (const each of [plain, coloured, json]) {
    assert.not.match(each.stderr, /internal error|\n {4}at /);
    assert.ok(each.code === 0 || each.code === 1 || each.code === 2, `${what}: exit ${each.code}`);
  }
  assertClean(plain.bytes, what);
  assertClean(Buffer.from(plain.stderr), what);
  assertClean(coloured.bytes, what, { colour: true });
  assertClean(Buffer.from(coloured.stderr), what, { colour: true });
  const words = withoutColour(coloured.stdout + coloured.stderr).split("\n");
  const at = (plain.stdout + plain.stderr).split("\n").findIndex((line, i) => line !== words[i]);
  // A restore looks at this machine, whose tasks come and go between the two runs.
  if (args[0] !== "restore")
    assert.is(at, -1, `${what}: other words with colours: ${JSON.stringify(words[at])}`);
  assert.match(json.stdout, /^[\n -~]*$/, `${what} --json is not ASCII`);
  JSON.parse(json.stdout);
  return plain;
}

function writeSet(name: string, dose: Dose = "texts"): string {
  const directory = join(HOME, `${name} ${dose}`);
  mkdirSync(directory);
  for (const [file, bytes] of poisonedSet(name, dose)) writeFileSync(join(directory, file), bytes);
  writeFileSync(
    Buffer.concat([Buffer.from(`${directory}/`), Buffer.from("1b5b33316d9bff2e696d67", "hex")]),
    "x",
  );
  return directory;
}

const LOOKS: readonly (readonly [command: string, ...args: string[]])[] = [
  ["show"],
  ["show", "tree", "--threads"],
  ["show", "creds"],
  ["show", "env"],
  ["show", "rss", "--runs"],
  ["validate", "--all"],
  ["find", "P"],
  ["edit", "--remap-path", "/var=/srv/\u001b[2J", "--dry-run", "--scan-memory"],
  ["edit", "--remap-path", "/no\u009b/such=/path\r", "--dry-run"],
  ["restore", "--dry-run"],
  ["restore", "--print"],
  ["log"],
  ["undo"],
];

for (const [kind, image] of [
  ["set", () => writeSet("sockets")],
  ["set with poisoned bytes", () => writeSet("container", "texts and bytes")],
  ["stream", () => join(HOME, "threads.ckpt")],
] as const)
  test(`every command that looks at a ${kind}`, async () => {
    const path = image();
    for (const [command, ...args] of LOOKS) await runs([command, path, ...args]);
    await runs(["diff", path, join(fixture("logger"))]);
    await runs(["convert", path, "-", "--to", "criu"]);
    const { stdout, stderr } = await warmCrimg(["convert", path, join(HOME, `${kind} converted`), "--lossy"]);
    assertClean(Buffer.from(stdout + stderr), "convert");
  });

test("every command that looks at one file", async () => {
  const set = writeSet("threads");
  const file = join(set, "files.img");
  await runs(["info", file]);
  await runs(["dump", file]);
  assertClean((await warmCrimg(["decode", file])).bytes, "decode");
  assertClean((await warmCrimg(["decode", "--pretty", file])).bytes, "decode --pretty");
  for (const record of ["files.img", "core-1000.img[0]", `${POISON.replace(/\p{Cs}/gu, "")}.img`])
    await runs(["show", set, "record", record]);
  const stream = join(HOME, "threads.ckpt");
  await runs(["info", stream]);
  await runs(["dump", stream]);
  assertClean((await warmCrimg(["decode", "--nopl", stream])).bytes, "decode of a stream");
});

test("words of the command line, and files that are not there", async () => {
  const evil = "\u001b[31m\u009b\u202e\r\n";
  for (const args of [
    [evil],
    ["show", evil],
    ["show", "--pid", evil, "."],
    ["show", ".", evil],
    ["encode", evil],
    ["explain", evil],
    ["edit", ".", "--set", `${evil}=${evil}`, "--dry-run"],
    ["edit", ".", "-f", evil, "--dry-run"],
    ["completion", evil],
    ["diff", evil, evil],
    [`--${evil}`],
    ["show", `--${evil}`],
  ]) {
    const { stdout, stderr } = await warmCrimg(args);
    assertClean(Buffer.from(stdout + stderr), JSON.stringify(args));
    const debug = await warmCrimg(args, { env: { CRIMG_DEBUG: "1" } });
    assertClean(Buffer.from(debug.stdout + debug.stderr), JSON.stringify(args));
  }
});

interface Manifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly args: Readonly<Record<string, unknown>>;
        readonly flags: Readonly<Record<string, { readonly type: string }>>;
      }
    >
  >;
}

test("every argument and flag of every command, with and without --json and --help", async () => {
  const manifest = new URL("../../oclif.manifest.json", import.meta.url);
  const { commands } = JSON.parse(readFileSync(manifest, "utf8")) as Manifest;
  const evil = "\u001b]0;x\u0007\u009b\u202e\r\n";
  let runs = 0;
  for (const [command, { args, flags }] of Object.entries(commands)) {
    const given = Object.keys(args).map((_, at) => [...Array(at).fill("."), evil]);
    for (const [flag, { type }] of Object.entries(flags))
      given.push(type === "option" ? [`--${flag}`, evil] : [`--${flag}=${evil}`]);
    for (const words of [...given, [`-${evil}`], ["--help", evil]])
      for (const json of [[], ["--json"]]) {
        const line = [command, ...words, ...json];
        const { stdout, stderr, code } = await warmCrimg(line, { cwd: HOME });
        runs++;
        assertClean(Buffer.from(stdout + stderr), JSON.stringify(line));
        assert.not.match(stderr, /internal error|\n {4}at /, JSON.stringify(line));
        assert.ok(code === 0 || code === 1 || code === 2, JSON.stringify(line));
      }
  }
  process.stdout.write(`${runs} command lines `);
});

test("facts of a host that were tampered with", async () => {
  const file = join(HOME, "host.json");
  const facts = await warmCrimg(["facts", "-o", file]);
  assert.is(facts.code, 0, facts.stderr);
  const text = readFileSync(file, "utf8");
  for (const poisoned of [
    text.replace(/: "(?=[^"])/g, (it) => `${it}\\u001b[31m\\u009b\\u202e`),
    text.replace(/"criu": ?\{[^}]*\}/, '"criu": {"problem": "\\u001b[31m\\u202e"}'),
    text.replace(/\d+/g, '"\\u001b[31m"'),
    "\u001b[31m",
  ]) {
    writeFileSync(file, poisoned);
    await runs(["validate", fixture("logger"), "--host", file]);
  }
});

test("a log of criu", async () => {
  for (const log of ["dump-unix-external", "restore-file-missing", "restore-cpu", "restore-garbage"]) {
    const text = readFileSync(join(fixture("../logs"), `${log}.txt`), "utf8").replace(
      /\/[a-z]+/g,
      (it) => it + POISON.replaceAll("\n", ""),
    );
    await runs(["explain", "-"], { input: Buffer.from(text.replace(/[\udc80-\udcff]/g, "\u009b"), "utf8") });
    await runs(["explain", "-"], { input: Buffer.from(`${text}\n(00.1) Error: \u001b[31m\u009b`, "latin1") });
  }
});

test("an edit log whose every text is poisoned", async () => {
  const set = join(HOME, "logged");
  cpSync(fixture("logger"), set, { recursive: true });
  await warmCrimg(["edit", set, "--remap-path", "/var/lib=/srv", "--in-place"]);
  const file = join(set, "crimg-edits.jsonl");
  const evil = JSON.stringify(POISON).slice(1, -1);
  for (const key of ["time", "crimg", "edits", "before", "after", "field", "image", "name"]) {
    const old = readFileSync(file, "utf8");
    writeFileSync(
      file,
      old.replace(new RegExp(`("${key}":\\[?")`, "g"), (it) => it + evil),
    );
    await runs(["log", set]);
    const { stdout, stderr } = await warmCrimg(["undo", set, "-o", join(HOME, `undone ${key}`)]);
    assertClean(Buffer.from(stdout + stderr), `undo, poison in ${key}`);
    writeFileSync(file, old);
  }
});

test("a recipe", async () => {
  const file = join(HOME, "recipe.yaml");
  const evil = JSON.stringify(POISON.replace(/\p{Cs}/gu, ""));
  for (const text of [
    `edits:\n  - remap-path: ${evil}\n`,
    `edits:\n  - ${evil}: x\n`,
    `${evil}: x\n`,
    `edits:\n  - comm: ${evil}\n`,
    "edits: [\u001b[31m\u009b\n",
  ]) {
    writeFileSync(file, text);
    await runs(["edit", fixture("logger"), "-f", file, "--dry-run"]);
  }
});

test("on a terminal, in colour", async () => {
  const image = join(HOME, "threads.ckpt");
  for (const args of [
    ["show", image],
    ["show", image, "fds"],
    ["validate", image],
    ["show", join(image, "\u001b[31m")],
  ]) {
    const terminal = await OnTerminal.start([process.execPath, CRIMG, ...args, "--color", "always"]);
    await terminal.ends();
    const said = readFileSync(terminal.output, "latin1").replaceAll("\r\n", "\n");
    assert.ok(said.length > 0);
    assertClean(Buffer.from(said, "latin1"), args.join(" "), { colour: true });
  }
});

test.run();
