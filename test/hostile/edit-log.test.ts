import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import * as assert from "uvu/assert";
import { EDIT_LOG } from "../../src/ops/edit/log.js";
import { STREAM_LOG_SUFFIX } from "../../src/ops/edit/place.js";
import { crimgJson } from "../helpers/cli.js";
import { fixture, streamFixture } from "../helpers/images.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { measured } from "../helpers/measured.js";
import { suite } from "../helpers/suite.js";
import { warmCrimg } from "../helpers/warm.js";

const test = suite("a log that a stranger wrote", {}, 180);
test.after(cleanUp);

interface Edited {
  readonly image: string;
  readonly log: string;
  /** Bytes of the image, or of the file that was edited. */
  bytes(): Buffer;
}

/** The two places in which a log stands, each with two edits. */
const PLACES: Readonly<Record<string, () => Promise<Edited>>> = {
  "of a set": async () => {
    const image = path.join(freshDirectory("edit-log"), "set");
    fs.cpSync(fixture("logger"), image, { recursive: true });
    const bytes = (): Buffer => fs.readFileSync(path.join(image, "core-1000.img"));
    return edited({ image, log: path.join(image, EDIT_LOG), bytes }, "1000");
  },
  "of a stream": async () => {
    const image = path.join(freshDirectory("edit-log"), "app.ckpt");
    fs.copyFileSync(streamFixture("logger"), image);
    return edited({ image, log: image + STREAM_LOG_SUFFIX, bytes: () => fs.readFileSync(image) }, "1000");
  },
};

async function edited(place: Edited, pid: string): Promise<Edited> {
  for (const name of ["one", "two"]) {
    const { code, stderr } = await warmCrimg(["edit", place.image, "--comm", `${pid}=${name}`, "--in-place"]);
    assert.is(code, 0, stderr);
  }
  return place;
}

interface ChainAnswer {
  readonly chain: {
    readonly head: string | null;
    readonly intact: boolean;
    readonly unchained: number;
    readonly broken: { readonly entry: number } | null;
    readonly kept?: { readonly entry: number | null };
  };
}

async function chainOf(
  image: string,
  ...args: string[]
): Promise<ChainAnswer["chain"] & { code: number | null }> {
  const { code, json } = await crimgJson(["log", image, ...args]);
  return { code, ...(json as ChainAnswer).chain };
}

async function assertRefused(place: Edited, pattern: RegExp, ...args: string[]): Promise<void> {
  const before = place.bytes();
  const log = fs.readFileSync(place.log);
  const { code, stderr } = await warmCrimg(["undo", place.image, ...args]);
  assert.is(code, 2, stderr);
  assert.match(stderr, pattern);
  assert.match(stderr, /^error: [^\n]*\n$/);
  assert.ok(place.bytes().equals(before));
  assert.ok(fs.readFileSync(place.log).equals(log));
}

function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function linesOf(log: string): string[] {
  return fs.readFileSync(log, "utf8").split(/(?<=\n)/);
}

/** Ways to change one line, or the order of lines, and the entry at which the chain then breaks. */
const TAMPERED: Readonly<Record<string, readonly [change: (lines: string[]) => string[], broken: number]>> = {
  "another label": [([one = "", two = ""]) => [one.replace("=one", "=moon"), two], 2],
  "another time": [([one = "", two = ""]) => [one.replace(/"time":"\d{4}/, '"time":"1999'), two], 2],
  "other undo bytes": [([one = "", two = ""]) => [one.replace(/"undo":\[\[\d+/, '"undo":[[9'), two], 2],
  "a space more": [([one = "", two = ""]) => [one.replace("{", "{ "), two], 2],
  "the first entry taken out": [([, two = ""]) => [two], 1],
  "the entries swapped": [([one = "", two = ""]) => [two, one], 1],
  "an entry twice": [([one = "", two = ""]) => [one, two, two], 3],
  "an entry without a chain behind chained ones": [
    ([one = "", two = ""]) => [one, two.replace(/"previous":"\w+",/, "")],
    2,
  ],
};

for (const [where, make] of Object.entries(PLACES)) {
  for (const [what, [change, broken]] of Object.entries(TAMPERED))
    test(`the log ${where} with ${what}: log says where the chain breaks, undo does nothing`, async () => {
      const place = await make();
      fs.writeFileSync(place.log, change(linesOf(place.log)).join(""));
      const chain = await chainOf(place.image);
      assert.equal([chain.code, chain.intact, chain.broken?.entry], [1, false, broken]);
      assert.match(
        (await warmCrimg(["log", place.image])).stderr,
        new RegExp(`chain is broken at edit ${broken}:`),
      );
      await assertRefused(place, new RegExp(`edit ${broken} of the log does not follow the one before it`));
    });

  test(`the head of the log ${where}: edit and log tell it, sha256sum too; a kept one is verified`, async () => {
    const place = await make();
    const [first = "", second = ""] = linesOf(place.log);
    const kept = sha256(first);
    const now = await chainOf(place.image);
    assert.equal([now.code, now.intact, now.unchained, now.head], [0, true, 0, sha256(second)]);
    assert.match((await warmCrimg(["log", place.image])).stdout, new RegExp(`^head ${sha256(second)}$`, "m"));
    assert.is((await chainOf(place.image, "--head", kept)).kept?.entry, 1);
    assert.is((await chainOf(place.image, "--head", now.head as string)).kept?.entry, 2);
    await assertRefused(place, /not with the head that was kept/, "--head", kept);
    const edit = await warmCrimg(["edit", place.image, "--comm", "1000=three", "--in-place"]);
    assert.match(edit.stdout, new RegExp(`^log head ${sha256(linesOf(place.log)[2] ?? "")}$`, "m"));
    assert.is((await warmCrimg(["undo", place.image])).code, 0);
    assert.is((await warmCrimg(["undo", place.image, "--head", now.head as string])).code, 0);
    assert.is((await chainOf(place.image)).head, kept);
  });

  test(`the log ${where} written anew, with a chain of its own: only the kept head tells`, async () => {
    const place = await make();
    const kept = (await chainOf(place.image)).head as string;
    const [one = "", two = ""] = linesOf(place.log).map((line) => line.replace(/=one/, "=moon"));
    fs.writeFileSync(place.log, one + two.replace(/"previous":"\w+"/, `"previous":"${sha256(one)}"`));
    assert.equal([(await chainOf(place.image)).code, (await chainOf(place.image)).intact], [0, true]);
    const compared = await chainOf(place.image, "--head", kept);
    assert.equal([compared.code, compared.kept?.entry], [1, null]);
    await assertRefused(place, /not with the head that was kept/, "--head", kept);
  });

  test(`a log ${where} from before entries were chained is read, and undone by an explicit word`, async () => {
    const place = await make();
    const plain = (): void =>
      fs.writeFileSync(
        place.log,
        linesOf(place.log)
          .join("")
          .replaceAll(/"previous":(null|"\w+"),/g, ""),
      );
    plain();
    const chain = await chainOf(place.image);
    assert.equal([chain.code, chain.intact, chain.unchained], [0, true, 2]);
    assert.match(
      (await warmCrimg(["log", place.image])).stderr,
      /edits 1 to 2 are not chained: the log was written by crimg [\d.]+ before/,
    );
    await assertRefused(place, /edit 2 of the log is not chained/);
    const edit = await warmCrimg(["edit", place.image, "--comm", "1000=three", "--in-place"]);
    assert.is(edit.code, 0, edit.stderr);
    assert.equal((await chainOf(place.image)).unchained, 2);
    await assertRefused(place, /edit 2 of the log is not chained/, "--steps", "2");
    assert.is((await warmCrimg(["undo", place.image])).code, 0);
    const undo = await warmCrimg(["undo", place.image, "--steps", "2", "--unchained"]);
    assert.is(undo.code, 0, undo.stderr);
    assert.not.ok(fs.existsSync(place.log));
  });

  test(`the log ${where} is no regular file: one sentence, nothing is followed, replaced or waited for`, async () => {
    const place = await make();
    const elsewhere = path.join(freshDirectory("edit-log"), "log");
    const put: Readonly<Record<string, () => void>> = {
      "a symbolic link": () => fs.symlinkSync(elsewhere, place.log),
      "a FIFO": () => execFileSync("mkfifo", [place.log]),
      "a directory": () => fs.mkdirSync(place.log),
    };
    fs.renameSync(place.log, elsewhere);
    for (const [sort, make] of Object.entries(put)) {
      make();
      const before = place.bytes();
      for (const args of [["log"], ["undo"], ["edit", "--comm", "1000=x", "--in-place"]]) {
        const [command = "", ...rest] = args;
        const { code, stderr } = await warmCrimg([command, place.image, ...rest]);
        assert.is(code, 2, `${command} ${sort}`);
        assert.match(stderr, new RegExp(`^error: [^\\n]*is ${sort}[^\\n]*expected a regular file\\n$`));
      }
      assert.ok(place.bytes().equals(before));
      assert.not.ok(fs.lstatSync(place.log).isFile());
      fs.rmSync(place.log, { recursive: true });
    }
  });
}

const LINE = `{"previous":null,"crimg":"1","time":"2026-01-01T00:00:00.000Z","edits":[],"files":[],"changes":[CHANGES]}\n`;
const MiB = 1024 * 1024;

/** Logs that a reader could choke on; each is written with as little work as the file system allows. */
const LARGE: Readonly<Record<string, (log: string) => void>> = {
  "4 GiB of nothing": (log) => fs.truncateSync(log, 4096 * MiB),
  "one line of 1 GiB": (log) => {
    fs.truncateSync(log, 1024 * MiB - 1);
    fs.appendFileSync(log, "\n");
  },
  "millions of entries": (log) => fs.appendFileSync(log, "{}\n".repeat(10 * MiB)),
  "millions of whole entries": (log) => fs.writeFileSync(log, LINE.replace("CHANGES", "").repeat(280_000)),
  "a line of millions of lists": (log) =>
    fs.writeFileSync(
      log,
      LINE.replace(
        "CHANGES",
        Array(5 * MiB)
          .fill("[]")
          .join(),
      ),
    ),
  "lists in lists": (log) =>
    fs.writeFileSync(log, LINE.replace("CHANGES", "[".repeat(15 * MiB) + "]".repeat(15 * MiB))),
  "texts of two bytes a character": (log) =>
    fs.writeFileSync(
      log,
      LINE.replace("CHANGES", JSON.stringify({ edit: "ſ".repeat(15 * MiB), image: "", field: "" })),
    ),
  "as many values as are read": (log) =>
    fs.writeFileSync(
      log,
      LINE.replace("CHANGES", Array(260_000).fill('{"edit":"a b c","image":"image","field":"field"}').join()),
    ),
  "no end of a line": (log) => fs.appendFileSync(log, "{"),
};

for (const [what, make] of Object.entries(LARGE))
  test(`a log with ${what}: an answer or one sentence, below 256 MiB and 10 s of CPU`, async () => {
    const place = await (PLACES["of a set"] as () => Promise<Edited>)();
    make(place.log);
    for (const command of ["log", "undo"]) {
      const { code, signal, stderr, mebibytes, cpuSeconds } = await measured([command, place.image]);
      assert.is(signal, null);
      assert.ok(code === 2 || stderr === "" || /not chained|warning/.test(stderr), stderr.slice(0, 300));
      assert.ok(stderr.trimEnd().split("\n").length <= 1, stderr.slice(0, 300));
      assert.ok(mebibytes < 256, `${command}: ${Math.round(mebibytes)} MiB`);
      assert.ok(cpuSeconds < 10, `${command}: ${cpuSeconds} s`);
    }
  });

test("an edit whose log crimg would not read again is refused before anything is written", async () => {
  const place = await (PLACES["of a set"] as () => Promise<Edited>)();
  const line = LINE.replace(
    "CHANGES",
    JSON.stringify({ edit: "x".repeat(32 * MiB - 200), image: "", field: "" }),
  );
  fs.writeFileSync(place.log, line);
  const before = place.bytes();
  const { code, stderr } = await warmCrimg(["edit", place.image, "--comm", "1000=x", "--in-place"]);
  assert.is(code, 2);
  assert.match(stderr, /^error: [^\n]*the edit log would be too large, at most [^\n]*\n$/);
  assert.ok(place.bytes().equals(before));
});

test("names and texts of a log are escaped on the terminal", async () => {
  const place = await (PLACES["of a set"] as () => Promise<Edited>)();
  const esc = "\\u001b]0;x\\u0007\\u202e";
  const [one = ""] = linesOf(place.log);
  const hostile = one
    .replace('"--comm 1000=one"', `"${esc}"`)
    .replace('"crimg":"', `"crimg":"${esc}`)
    .replace('"previous":null,', "");
  fs.writeFileSync(place.log, hostile);
  for (const args of [["log"], ["undo"], ["undo", "--unchained"]]) {
    const [command = "", ...rest] = args;
    const { stdout, stderr } = await warmCrimg([command, place.image, ...rest]);
    assert.not.match(stdout + stderr, /[^\P{Cc}\n]|\u202e/u);
  }
});

test.run();
