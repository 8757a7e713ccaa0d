/**
 * Every command that writes an image or a file of one, killed before each call that gives, takes or secures a name, and at
 * random moments: what it wrote is there whole or not at all, and the same command then leaves nothing of the killed run.
 * CRIMG_NIGHTLY=1 makes it 150 random moments a command.
 */
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { isTar } from "../../src/formats/archive/tar/read.js";
import { sha256 } from "../../src/io/digest.js";
import { type ByteSource, FileSource } from "../../src/io/source.js";
import type { CriuDocument } from "../../src/model/document.js";
import { openDocument } from "../../src/open.js";
import { EDIT_LOG } from "../../src/ops/edit/log.js";
import { atEachStep, NAMING } from "../helpers/at-step.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { crimgKilledAfter, moments, randomBy } from "../helpers/kills.js";
import { interrupt } from "../helpers/leftovers.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { tickerTar } from "../helpers/packages.js";
import { NIGHTLY, SEED } from "../helpers/seed.js";
import { imageDigest } from "../helpers/snapshot.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const RANDOM = NIGHTLY ? 150 : 2;
const test = suite("writing commands that are killed", {}, 1800);
test.after(cleanUp);
test.before(() => {
  process.stdout.write(`seed ${SEED} `);
});

const STREAM_EDIT = ["--remap-path", "/var=/srv/elsewhere"];
const ARCHIVE_EDIT = ["--comm", "1=renamed"];
const SET_EDIT = ["--comm", "1000=renamed"];

interface Writer {
  readonly args: readonly string[];
  /** What it writes. */
  readonly out: string;
  /** Puts the files there that it begins with. */
  prepare(directory: string): unknown;
  /** It replaces what is there. */
  readonly isInPlace?: true;
}

const set = (to: string) => fs.cpSync(fixture("logger"), path.join(to, "set"), { recursive: true });
const stream = (to: string) => fs.copyFileSync(streamFixture("locks"), path.join(to, "app.ckpt"));
const archive = (to: string) => fs.writeFileSync(path.join(to, "a.tar"), tickerTar());

async function edited(image: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await warmCrimg(["edit", image, ...args, "--in-place"]);
  assert.is(code, 0, stderr);
}

/** All paths are below the directory of the run, in which it runs. */
const WRITERS: Record<string, Writer> = {
  "edit -o of a set": { args: ["edit", "set", ...SET_EDIT, "-o", "out"], out: "out", prepare: set },
  "edit -o of a stream": {
    args: ["edit", "app.ckpt", ...STREAM_EDIT, "-o", "out"],
    out: "out",
    prepare: stream,
  },
  "undo of a set": {
    args: ["undo", "set"],
    out: "set",
    isInPlace: true,
    prepare: async (to) => {
      set(to);
      await edited(path.join(to, "set"), SET_EDIT);
    },
  },
  "undo of a stream": {
    args: ["undo", "app.ckpt"],
    out: "app.ckpt",
    isInPlace: true,
    prepare: async (to) => {
      stream(to);
      await edited(path.join(to, "app.ckpt"), STREAM_EDIT);
    },
  },
  "undo of an archive": {
    args: ["undo", "a.tar"],
    out: "a.tar",
    isInPlace: true,
    prepare: async (to) => {
      archive(to);
      await edited(path.join(to, "a.tar"), ARCHIVE_EDIT);
    },
  },
  "edit -o of an archive": {
    args: ["edit", "a.tar", ...ARCHIVE_EDIT, "-o", "out"],
    out: "out",
    prepare: archive,
  },
  "edit in place of an archive": {
    args: ["edit", "a.tar", ...ARCHIVE_EDIT, "--in-place"],
    out: "a.tar",
    isInPlace: true,
    prepare: archive,
  },
  "edit in place of a large file": {
    args: ["edit", "set", "--env", "1000:PATH=/srv", "--in-place"],
    out: "set",
    isInPlace: true,
    // From 1 MiB on a file is copied and patched.
    prepare: (to) => {
      set(to);
      fs.appendFileSync(path.join(to, "set/pages-1.img"), Buffer.alloc(1 << 20));
    },
  },
  "undo -o of a set": {
    args: ["undo", "set", "-o", "out"],
    out: "out",
    prepare: async (to) => {
      set(to);
      await edited(path.join(to, "set"), SET_EDIT);
    },
  },
  ...Object.fromEntries(
    [["oci", "--compress", "gzip"], ["podman"], ["cri-o"]].map((form) => [
      `convert --as ${form[0]}`,
      { args: ["convert", "a.tar", "out", "--as", ...form], out: "out", prepare: archive },
    ]),
  ),
  example: { args: ["example", "out"], out: "out", prepare: () => {} },
  "recover of a set": {
    args: ["recover", "set"],
    out: "set",
    isInPlace: true,
    prepare: async (to) => {
      set(to);
      await interrupt(path.join(to, "set"), SET_EDIT, "mixed");
    },
  },
  "recover of a stream": {
    args: ["recover", "app.ckpt"],
    out: "app.ckpt",
    isInPlace: true,
    prepare: async (to) => {
      stream(to);
      await interrupt(path.join(to, "app.ckpt"), STREAM_EDIT, "mixed");
    },
  },
  "convert to a stream": { args: ["convert", "set", "out"], out: "out", prepare: set },
  "convert --force over a stream": {
    args: ["convert", "set", "out", "--force"],
    out: "out",
    isInPlace: true,
    prepare: (to) => {
      set(to);
      fs.copyFileSync(streamFixture("locks"), path.join(to, "out"));
    },
  },
  "convert to a set": { args: ["convert", "app.ckpt", "out"], out: "out", prepare: stream },
  "decode -o": { args: ["decode", "set/core-1000.img", "-o", "out"], out: "out", prepare: set },
  "decode -o over a file": {
    args: ["decode", "set/core-1000.img", "-o", "out"],
    out: "out",
    isInPlace: true,
    prepare: (to) => {
      set(to);
      fs.writeFileSync(path.join(to, "out"), "old");
    },
  },
  "encode -o": {
    args: ["encode", "core.json", "-o", "out"],
    out: "out",
    prepare: async (to) => {
      set(to);
      const { code, stderr } = await warmCrimg(["decode", "set/core-1000.img", "-o", "core.json"], {
        cwd: to,
      });
      assert.is(code, 0, stderr);
    },
  },
};

/** What stands there; undefined for nothing. Of an archive its images, without the log. */
function digestOf(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  if (fs.statSync(file).isDirectory() || !isTar(new FileSource(file))) return imageDigest(file);
  const document = openDocument(file) as CriuDocument;
  const { fileSet } = document.set;
  const images = fileSet.names().filter((name) => name !== EDIT_LOG);
  const digests = images.map((name) => `${name} ${sha256(fileSet.open(name) as ByteSource)}`);
  document.close();
  return digests.join();
}

function namesIn(directory: string): string[] {
  return (fs.readdirSync(directory, { recursive: true }) as string[]).sort();
}

/** Records of edits between their commit and their end. */
function records(directory: string): string[] {
  return namesIn(directory).filter((name) => /crimg-edit\/(commit|abort)$/.test(name));
}

/** A copy is another directory, which the records in it are to be about. */
function copy(from: string, to: string): void {
  fs.rmSync(to, { recursive: true, force: true });
  fs.cpSync(from, to, { recursive: true, preserveTimestamps: true });
  for (const name of records(to)) {
    const file = path.join(to, name);
    const journal = JSON.parse(fs.readFileSync(file, "utf8"));
    journal.directory.ino = String(fs.statSync(path.join(file, "../.."), { bigint: true }).ino);
    fs.writeFileSync(file, JSON.stringify(journal));
  }
}

let kills = 0;
for (const [what, { args, out, prepare, isInPlace = false }] of Object.entries(WRITERS))
  test(what, async () => {
    const home = freshDirectory("writers");
    const [before, cwd] = [path.join(home, "before"), path.join(home, "work")];
    const file = path.join(cwd, out);
    fs.mkdirSync(before);
    await prepare(before);
    copy(before, cwd);
    const old = records(cwd).length > 0 ? undefined : digestOf(file);
    const whole = await warmCrimg(args, { cwd });
    assert.is(whole.code, 0, whole.stderr);
    const [done, names] = [digestOf(file), namesIn(cwd)];
    assert.is.not(done, old);

    const judge = async (killed: string): Promise<void> => {
      kills++;
      const now = digestOf(file);
      if (records(cwd).length === 0) assert.ok(now === old || now === done, `${killed}: neither old nor new`);
      if (now === done && !isInPlace) fs.rmSync(file, { recursive: true });
      const { code, stderr } = await warmCrimg(args, { cwd });
      // What was undone already cannot be once more.
      if (code !== 0) assert.ok(args[0] === "undo" && digestOf(file) === done, `${killed}: ${stderr}`);
      assert.is(digestOf(file), done, killed);
      assert.equal(namesIn(cwd), names, killed);
    };
    const renew = (): void => copy(before, cwd);
    await atEachStep(args, {
      calls: NAMING,
      options: { cwd },
      prepare: renew,
      check: (result, step) => {
        if (result.signal === null) assert.is(result.code, 0, result.stderr);
        return result.signal === null ? undefined : judge(`call ${step}`);
      },
    });
    renew();
    const { milliseconds } = await crimgKilledAfter(args, Number.POSITIVE_INFINITY, { cwd });
    for (const moment of moments(RANDOM, milliseconds * 0.3, milliseconds, randomBy(SEED))) {
      renew();
      const { code } = await crimgKilledAfter(args, moment, { cwd });
      if (code === undefined) await judge(`${Math.round(moment)} ms`);
    }
  });

test.after(() => {
  process.stdout.write(`${kills} kills `);
});

test.run();
