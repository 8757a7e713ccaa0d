/** Root works on an image that a stranger has prepared: nothing of root's is changed, and nothing is believed. */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { sha256OfFile } from "../../src/io/digest.js";
import type { CliResult } from "../helpers/cli.js";

import { DEAD, forge, interrupt, leaveTemporaries } from "../helpers/leftovers.js";
import { cleanUp } from "../helpers/live.js";
import { needsRoot } from "../helpers/needs.js";
import { snapshot } from "../helpers/snapshot.js";
import {
  FAMILIES,
  type Family,
  give,
  type Place,
  type StrangersImage,
  strangersImage,
} from "../helpers/strangers-image.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const test = suite("an image of another user", {}, 600);
test.before(() => needsRoot("working on what another user has prepared"));
test.after(cleanUp);

const DOUBTED = /is not a trusted edit journal/g;
const MIXED = /a mix of old and new files; run crimg recover to finish it/;

/** What a look says of what was prepared: nothing, that a record is not believed, or that an edit was interrupted. */
type Said = "nothing" | "doubt" | "mixed";

interface Attack {
  readonly looks: Said;
  /** What every command that would write says; undefined when nothing is in the way of some. */
  readonly refused?: RegExp;
  /** With every command that looks, not with a few. */
  readonly thorough?: true;
  readonly families?: readonly Family[];
  prepare(at: StrangersImage): unknown;
}

const LEFT_ALONE = /edit journal of this image: owned by uid 65534/;

const ATTACKS: Record<string, Attack> = {
  "a record that removes files here and elsewhere, temporaries of the stranger's": {
    looks: "doubt",
    refused: LEFT_ALONE,
    thorough: true,
    prepare: (at) => {
      forgeHere(at, [
        path.basename(at.member),
        "pages-1.img",
        "../outside/secret",
        secretOf(at),
        ".profile",
        "..",
        ".",
      ]);
      plantTemporaries(at);
      give(at.lock);
    },
  },
  "a record that replaces files of the image, private and with the right digests": {
    looks: "doubt",
    refused: LEFT_ALONE,
    prepare: (at) => {
      fs.mkdirSync(at.lock, { mode: 0o700 });
      writeRecord(at, at.lock);
      give(at.lock);
    },
  },
  "root's own directory with such a record, by a link": {
    looks: "doubt",
    refused: /edit journal of this image: is a symbolic link/,
    thorough: true,
    prepare: (at) => {
      const record = path.join(at.outside, "record");
      fs.mkdirSync(record, { mode: 0o700 });
      writeRecord(at, record);
      plantLink(record, at.lock);
    },
  },
  "a staged file that is a link to root's": {
    looks: "doubt",
    refused: LEFT_ALONE,
    prepare: (at) => {
      fs.mkdirSync(at.lock, { mode: 0o700 });
      writeRecord(at, at.lock);
      fs.rmSync(path.join(at.lock, "new-0"));
      fs.symlinkSync(secretOf(at), path.join(at.lock, "new-0"));
      give(at.lock);
    },
  },
  "a staged file that is a second name of root's": {
    looks: "doubt",
    refused: LEFT_ALONE,
    prepare: (at) => {
      fs.mkdirSync(at.lock, { mode: 0o700 });
      writeRecord(at, at.lock);
      fs.rmSync(path.join(at.lock, "new-0"));
      give(at.lock);
      fs.linkSync(secretOf(at), path.join(at.lock, "new-0"));
    },
  },
  "a file in the way of the lock": {
    looks: "doubt",
    refused: /edit journal of this image: not a directory/,
    prepare: (at) => {
      fs.writeFileSync(at.lock, "x");
      give(at.lock);
    },
  },
  "a log that is a link to root's file": {
    looks: "nothing",
    prepare: (at) => plantLink(secretOf(at), at.log),
  },
  "temporaries with links to root's files": {
    looks: "nothing",
    prepare: plantTemporaries,
  },
  "the record of root's edit of another set": {
    looks: "doubt",
    refused: /edit journal of this image: its journal is for another directory/,
    families: ["set"],
    prepare: async (at) => {
      const other = path.join(at.top, "place/other");
      fs.cpSync(FAMILIES.set.original, other, { recursive: true });
      give(other);
      await interrupt(other, FAMILIES.set.edit, "mixed");
      fs.renameSync(path.join(other, ".crimg-edit"), at.lock);
    },
  },
  // Within one directory its owner may rename even what is root's.
  "the record of root's edit of the stream beside it": {
    looks: "mixed",
    refused:
      /edit journal of this image: (the directory is owned by uid 65534|it names "other.ckpt", which is not a file of this image)/,
    families: ["stream"],
    prepare: async (at) => {
      const other = path.join(at.beside, "other.ckpt");
      fs.copyFileSync(FAMILIES.stream.original, other);
      give(other);
      await interrupt(other, FAMILIES.stream.edit, "mixed");
      fs.renameSync(path.join(at.beside, ".other.ckpt.crimg-edit"), at.lock);
    },
  },
  "root's edit of it, and other bytes since": {
    looks: "mixed",
    refused:
      /edit journal of this image: (the directory is owned by uid 65534|.* is neither the old nor the new file)/,
    thorough: true,
    prepare: async (at) => {
      await interrupt(at.image, FAMILIES[at.family].edit, "mixed");
      fs.appendFileSync(at.member, "x");
    },
  },
  "root's edit of it, and a link to root's file since": {
    looks: "mixed",
    refused:
      /edit journal of this image: (the directory is owned by uid 65534|.* is neither the old nor the new file)/,
    families: ["set"],
    prepare: async (at) => {
      await interrupt(at.image, FAMILIES[at.family].edit, "mixed");
      const bytes = fs.readFileSync(at.member);
      fs.rmSync(at.member);
      fs.writeFileSync(path.join(at.outside, "same"), bytes, { mode: 0o600 });
      plantLink(path.join(at.outside, "same"), at.member);
    },
  },
  "the image itself a link to root's": {
    looks: "nothing",
    refused: /is a symbolic link owned by uid 65534 \(not followed\); name its target/,
    prepare: plantImageLink,
  },
};

/** The name that root is told leads to an image of root's. */
function plantImageLink(at: StrangersImage): void {
  const own = path.join(at.outside, "own");
  fs.cpSync(at.image, own, { recursive: true });
  fs.rmSync(at.image, { recursive: true });
  plantLink(own, at.image);
}

function secretOf({ outside }: StrangersImage): string {
  return path.join(outside, "secret");
}

/** Another image of the same family, for a comparison. */
function decoyOf({ family, outside }: StrangersImage): string {
  return path.join(outside, family === "set" ? "decoy" : "decoy/app.ckpt");
}

function plantLink(to: string, link: string): void {
  fs.symlinkSync(to, link);
  give(link);
}

function forgeHere({ beside, lock }: StrangersImage, victims: readonly string[]): void {
  forge(beside, path.basename(lock), victims);
  fs.chmodSync(lock, 0o700);
}

/** A record as crimg's own: of this directory, with the digests of the member as it is and of what it is to become. */
function writeRecord({ beside, member }: StrangersImage, lock: string): void {
  const { dev, ino } = fs.statSync(beside, { bigint: true });
  const staged = path.join(lock, "new-0");
  fs.writeFileSync(staged, "forged", { mode: 0o600 });
  const [before, after] = [sha256OfFile(member), sha256OfFile(staged)];
  const file = { name: path.basename(member), before, after, mode: 0o755, uid: 0, gid: 0 };
  const journal = { directory: { dev: String(dev), ino: String(ino) }, files: [file] };
  fs.writeFileSync(path.join(lock, "commit"), JSON.stringify(journal));
  fs.writeFileSync(path.join(lock, "owner"), DEAD);
}

/** Names that runs which ended could have used, with links to what is root's in and at them. */
function plantTemporaries({ beside, member, outside }: StrangersImage): void {
  const before = new Set(fs.readdirSync(beside));
  leaveTemporaries(beside, [path.basename(member)]);
  for (const name of fs.readdirSync(beside)) {
    const file = path.join(beside, name);
    if (before.has(name)) continue;
    if (fs.lstatSync(file).isDirectory()) fs.symlinkSync(outside, path.join(file, "link"));
    give(file);
  }
}

interface Look {
  readonly args: readonly string[];
  /** Of a single file, whatever lies beside it. */
  readonly alone: boolean;
}

/** Commands that look: every one, or a few. */
function looks(at: StrangersImage, isThorough: boolean): Look[] {
  const { family, image, member } = at;
  const isSet = family === "set";
  const some = [["show"], ["log"], ["restore", "--print"]];
  const more = [
    ["validate"],
    ["diff", decoyOf(at)],
    ["find", "a"],
    ...(isSet ? [["x", "mems"]] : []),
    ["restore", "--dry-run"],
  ];
  const commands = (isThorough ? [...some, ...more] : some).map(([name, ...rest]) => ({
    args: [name as string, image, ...rest],
    alone: !isSet && name === "find",
  }));
  const ofFile = ["decode", "info", "dump"].map((name) => ({ args: [name, member], alone: true }));
  return isThorough ? [...commands, ...ofFile] : commands;
}

const counts = { looks: 0, writes: 0 };

async function lookAll(at: StrangersImage, { looks: said, thorough }: Attack): Promise<void> {
  const before = snapshot(at.top);
  const commands = looks(at, thorough === true);
  const results = await Promise.all(commands.map(({ args }) => warmCrimg(args)));
  counts.looks += commands.length;
  assert.equal(snapshot(at.top), before, "a look changed something");
  for (const [i, { code, stderr }] of results.entries()) {
    const { args, alone } = commands[i] as Look;
    const what = `${args.join(" ")}: ${stderr}`;
    isTold(stderr, what);
    assert.is(stderr.match(DOUBTED)?.length ?? 0, said === "doubt" && !alone ? 1 : 0, what);
    assert.is(MIXED.test(stderr), said === "mixed" && !alone, what);
    if (said === "mixed" && !alone) assert.is(code, 2, what);
  }
}

function isTold(stderr: string, what: string): void {
  assert.not.match(stderr, /internal error|^\s+at /m, what);
}

async function writeAll(at: StrangersImage, { refused }: Attack): Promise<void> {
  const outside = snapshot(at.outside);
  const before = snapshot(at.top);
  for (const [name, ...rest] of [
    ["recover"],
    ["recover", "--force"],
    ["undo"],
    ["edit", ...FAMILIES[at.family].edit, "--in-place"],
  ]) {
    const result: CliResult = await warmCrimg([name as string, at.image, ...rest]);
    counts.writes++;
    const what = `${[name, ...rest].join(" ")}: ${result.stderr}`;
    isTold(result.stderr, what);
    assert.equal(snapshot(at.outside), outside, what);
    if (result.code !== 0) assert.is(result.stderr.trimEnd().split("\n").length, 1, what);
    if (refused === undefined) continue;
    assert.is(result.code, 2, what);
    assert.match(result.stderr, refused);
    assert.equal(snapshot(at.top), before, what);
  }
}

for (const [what, attack] of Object.entries(ATTACKS))
  for (const place of ["a stranger's directory", "a sticky directory"] as const satisfies readonly Place[])
    test(`${what}, in ${place}`, async () => {
      for (const family of attack.families ?? (["set", "stream"] as const)) {
        const at = strangersImage(family, place);
        await attack.prepare(at);
        await lookAll(at, attack);
        await writeAll(at, attack);
      }
    });

test.after(() => {
  process.stdout.write(`${counts.looks} looks, ${counts.writes} writes `);
});

test.run();
