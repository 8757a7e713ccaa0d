import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { shellQuote } from "../../src/io/shell.js";
import { type CliResult, crimg, crimgJson } from "../helpers/cli.js";
import { streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { suite } from "../helpers/suite.js";
import { unpackedFiles } from "../helpers/unpacked-files.js";

const HOME = "var/lib/crimg-demo/logger";
const LOGGER = streamFixture("logger");
const LOCKS = streamFixture("locks");
const CRIU = ["--backend", "criu", "--criu", "/nowhere/criu"];

const test = suite("crimg validate and restore of streams");
test.after(cleanUp);

interface Answer {
  readonly verdict?: string;
  readonly criu?: readonly string[];
  readonly convert?: readonly string[];
  readonly options: readonly { readonly option: string }[];
  readonly findings: readonly {
    readonly id: string;
    readonly fix?: string;
    readonly object: Readonly<Record<string, unknown>>;
  }[];
}

async function answer(args: readonly string[]): Promise<Answer & { readonly code: number | null }> {
  const { code, json } = await crimgJson(args);
  return { ...(json as Answer), code };
}

const restore = (...args: readonly string[]): Promise<CliResult> => crimg(["restore", ...args, ...CRIU]);

test("--root: the files are as they were, then one has gone, then the edit that was named finds it again", async () => {
  const root = unpackedFiles("logger").root;
  assert.is((await answer(["validate", LOGGER, "--root", root])).verdict, "valid");
  renameSync(join(root, HOME), join(root, "moved"));
  const gone = await answer(["validate", LOGGER, "--root", root]);
  assert.equal(
    [gone.code, gone.verdict, gone.findings.map(({ id }) => id)],
    [1, "invalid", ["FILE_MISSING"]],
  );
  assert.match(gone.findings[0]?.fix ?? "", `crimg edit ${shellQuote(LOGGER)} --remap-path /${HOME}=NEWPATH`);
  const moved = join(freshDirectory("moved"), "moved.ckpt");
  assert.is((await crimg(["edit", LOGGER, "--remap-path", `/${HOME}=/moved`, "-o", moved])).code, 0);
  assert.is((await answer(["validate", moved, "--root", root])).verdict, "valid");
});

test("--root reads a stream from stdin as well", async () => {
  const { code, stdout } = await crimg(["validate", "-", "--root", unpackedFiles("logger").root], {
    input: readFileSync(LOGGER),
  });
  assert.match(stdout, /^valid: /);
  assert.is(code, 0);
});

test("--accept-file takes over what a data file has become", async () => {
  const root = unpackedFiles("logger").root;
  const stream = join(freshDirectory("grown"), "logger.ckpt");
  copyFileSync(LOGGER, stream);
  writeFileSync(join(root, HOME, "data/records"), "more", { flag: "a" });
  const { findings } = await answer(["validate", stream, "--root", root]);
  assert.equal(
    findings.map(({ id, object }) => `${id} ${object.path}`),
    [`FILE_SIZE /${HOME}/data/records`],
  );
  const accept = ["edit", stream, "--accept-file", `/${HOME}/data/records`, "--root", root, "--in-place"];
  assert.is((await crimg(accept)).code, 0);
  assert.is((await answer(["validate", stream, "--root", root])).verdict, "valid");
});

test("--host asks the criu that is named, and knows that no kernel restarts streams today", async () => {
  const { code, findings } = await answer(["validate", LOGGER, "--host", "--criu", "/bin/false"]);
  const ids = findings.map(({ id }) => id);
  assert.ok(ids.includes("CRIU_MISSING") && ids.includes("KERNEL_RESTART"), ids.join());
  assert.is(code, 1);
});

test("validate says what criu must be told for the restore of a stream", async () => {
  const { options } = await answer(["validate", LOCKS]);
  assert.equal(
    options.map(({ option }) => option),
    ["--file-locks"],
  );
});

test("--print gives the conversion and criu's command line with the options that the stream needs", async () => {
  const { code, stdout, stderr } = await restore(LOCKS, "--print");
  const set = LOCKS.replace(/\.ckpt$/, ".images");
  assert.equal(
    [code, stdout],
    [
      0,
      `crimg convert ${shellQuote(LOCKS)} ${shellQuote(set)} && /nowhere/criu restore --images-dir ${shellQuote(set)} --file-locks\n`,
    ],
  );
  assert.match(
    stderr,
    /^--file-locks {2}12 file locks; .* \(filelocks\.img\)\n {4}posix of 1000 on fd \d+: /,
  );
  const json = await answer(["restore", LOCKS, "--print", ...CRIU]);
  assert.equal(json.convert, ["crimg", "convert", LOCKS, set]);
  assert.equal(json.criu?.slice(-1), ["--file-locks"]);
});

test("--dry-run finds what stands in the way and leaves nothing behind", async () => {
  const { code, stdout } = await restore(LOGGER, "--dry-run");
  assert.is(code, 1);
  assert.match(stdout, "CRIU_MISSING");
  assert.not.ok(existsSync(LOGGER.replace(/\.ckpt$/, ".images")));
});

test("--dry-run counts the edits that come first", async () => {
  const { stdout } = await restore(LOGGER, "--comm", "1000=other", "--dry-run");
  assert.match(stdout, /^1 change in a temporary copy/);
});

test.run();
