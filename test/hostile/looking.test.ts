import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import type { CliResult } from "../helpers/cli.js";

import { streamFixture } from "../helpers/images.js";
import { forge, INTERRUPTED, type Interrupted, interrupt, leaveTemporaries } from "../helpers/leftovers.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { imageDigest, snapshot } from "../helpers/snapshot.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("commands that look change nothing", {}, 600);
test.after(cleanUp);

const SET_EDIT = ["--comm", "1000=renamed"];
const STREAM_EDIT = ["--remap-path", "/var=/srv/elsewhere"];
const MIXED = /crimg recover/;
const DOUBTED = /is not a trusted edit journal/;

/** All commands that look, of a set; `out` is a directory elsewhere. */
function looksAtSet(set: string, out: string): string[][] {
  const file = path.join(set, "core-1000.img");
  return [
    ["show", set],
    ["show", set, "maps"],
    ["validate", set],
    ["diff", set, set],
    ["find", set, "logger"],
    ["x", set, "mems"],
    ["log", set],
    ["explain", path.join(out, "restore.log"), set],
    ["edit", set, "--comm", "1000=x", "--dry-run"],
    ["edit", set, "--comm", "1000=x", "--copy", "-o", path.join(out, "edited")],
    ["convert", set, path.join(out, "converted")],
    ["undo", set, "--copy", "-o", path.join(out, "undone")],
    ["restore", set, "--dry-run"],
    ["restore", set, "--print"],
    ["decode", file],
    ["info", file],
    ["dump", file],
  ];
}

function looksAtStream(file: string, out: string): string[][] {
  return [
    ["show", file],
    ["validate", file],
    ["diff", file, file],
    ["find", file, "var"],
    ["log", file],
    ["edit", file, ...STREAM_EDIT, "--dry-run"],
    ["edit", file, ...STREAM_EDIT, "-o", path.join(out, "edited")],
    ["convert", file, path.join(out, "converted")],
    ["restore", file, "--dry-run"],
    ["decode", file, "--nopl"],
    ["info", file],
    ["dump", file],
  ];
}

/** Commands for single files, which are old or new whatever lies beside them. */
const OF_A_FILE = new Set(["decode", "info", "dump"]);
const OF_A_STREAM = new Set([...OF_A_FILE, "find"]);

interface Place {
  /** What is looked at, and the directory around it. */
  readonly image: string;
  readonly home: string;
  readonly out: string;
}

function copyOf(original: string, name: string): Place {
  const home = freshDirectory("looking");
  const image = path.join(home, name);
  fs.cpSync(original, image, { recursive: true });
  const out = freshDirectory("looking-out");
  fs.writeFileSync(path.join(out, "restore.log"), "(00.000000) Error (criu/files.c:1): x\n");
  return { image, home, out };
}

async function lookAll(
  { home, out }: Place,
  commands: readonly string[][],
  judge: (result: CliResult, args: readonly string[]) => void,
): Promise<void> {
  const before = snapshot(home);
  for (const args of commands) {
    const result = await warmCrimg(args);
    assert.equal(snapshot(home), before, `crimg ${args.join(" ")} changed something: ${result.stderr}`);
    assert.not.match(result.stderr, /internal error/, args.join(" "));
    judge(result, args);
    for (const made of ["edited", "converted", "undone"])
      fs.rmSync(path.join(out, made), { recursive: true, force: true });
  }
}

const SHAPES = [
  { what: "set", original: fixture("logger"), name: "set", args: SET_EDIT, lock: ".crimg-edit" },
  {
    what: "stream",
    original: streamFixture("locks"),
    name: "app.ckpt",
    args: STREAM_EDIT,
    lock: ".app.ckpt.crimg-edit",
  },
] as const;

for (const { what, original, name, args, lock } of SHAPES) {
  const isSet = what === "set";
  const single = isSet ? OF_A_FILE : OF_A_STREAM;
  const commandsFor = ({ image, out }: Place): string[][] =>
    isSet ? looksAtSet(image, out) : looksAtStream(image, out);
  /** Where the lock and the temporaries of an image are. */
  const beside = ({ image, home }: Place): string => (isSet ? image : home);

  for (const at of ["locked", "mixed"] as const satisfies readonly Interrupted[]) {
    test(`${what}, ${at}: with leftovers of killed runs, until crimg recover`, async () => {
      const place = copyOf(original, name);
      await interrupt(place.image, args, at);
      leaveTemporaries(place.home, [name, "core-1000.img"]);
      if (isSet) leaveTemporaries(place.image, ["core-1000.img"]);
      await lookAll(place, commandsFor(place), ({ code, stderr }, [command]) => {
        const isTold = at === "mixed" && !single.has(command as string);
        if (isTold) assert.is(code, 2, command);
        assert.is(MIXED.test(stderr), isTold, `${command}: ${stderr}`);
      });
      const json = await warmCrimg(["show", place.image, "--json"]);
      if (at === "mixed") assert.match(JSON.parse(json.stdout).error.message, MIXED);
      const old = imageDigest(original);
      const recovery = await warmCrimg(["recover", place.image]);
      assert.is(recovery.code, 0, recovery.stderr);
      assert.not.ok(fs.existsSync(path.join(beside(place), lock)));
      const leftNames = fs.readdirSync(beside(place)).filter((each) => each.startsWith(".crimg-"));
      assert.equal(leftNames, []);
      if (INTERRUPTED[at].becomes === "old") {
        for (const each of fs.readdirSync(beside(place)))
          if (each.startsWith(".")) fs.rmSync(path.join(beside(place), each), { recursive: true });
        assert.is(imageDigest(place.image), old);
      } else assert.is((await warmCrimg(["log", place.image])).code, 0);
    });
  }

  test(`${what}: with a record of a stranger, a link, and names in the way`, async () => {
    for (const isLink of [false, true]) {
      const place = copyOf(original, name);
      const victims = isSet ? ["core-1000.img", "../victim", "pages-1.img"] : [name, "victim", "../victim"];
      const elsewhere = freshDirectory("elsewhere");
      if (isLink) {
        forge(elsewhere, "record", victims);
        fs.chmodSync(path.join(elsewhere, "record"), 0o700);
        fs.symlinkSync(path.join(elsewhere, "record"), path.join(beside(place), lock));
      } else {
        forge(beside(place), lock, victims);
        // Who cannot give it away makes it one that others may read.
        if (process.getuid?.() === 0) fs.chownSync(path.join(beside(place), lock), 65534, 65534);
        else fs.chmodSync(path.join(beside(place), lock), 0o755);
      }
      fs.writeFileSync(path.join(place.home, "victim"), "mine");
      const log = isSet ? path.join(place.image, "crimg-edits.jsonl") : `${place.image}.crimg-log`;
      fs.symlinkSync(path.join(place.home, "victim"), log);
      const outside = snapshot(elsewhere);
      const all = commandsFor(place);
      const commands = isLink
        ? all.filter(([command]) => ["show", "log", "restore"].includes(command as string))
        : all;
      await lookAll(place, commands, ({ stderr }, [command]) =>
        assert.is(DOUBTED.test(stderr), !single.has(command as string), `${command}: ${stderr}`),
      );
      assert.equal(snapshot(elsewhere), outside);
      for (const command of [
        ["recover"],
        ["recover", "--force"],
        ["undo"],
        ["edit", ...args, "--in-place"],
      ]) {
        const before = snapshot(place.home);
        const { code, stderr } = await warmCrimg([command[0] as string, place.image, ...command.slice(1)]);
        assert.is(code, 2, command.join(" "));
        assert.match(
          stderr,
          /edit journal of this image: (is a symbolic link|owned by uid 65534|accessible by other users)/,
        );
        assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
        assert.equal(snapshot(place.home), before);
      }
      assert.equal(snapshot(elsewhere), outside);
    }
  });
}

test.run();
