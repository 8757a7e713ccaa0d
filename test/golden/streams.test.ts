/**
 * Streams that come with the source: each is what `crimg convert` makes of the CRIU set of its name, and every view of
 * them is known. With `BLESS=1` both are written anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { rendered } from "../../src/cli/line.js";
import { viewLines } from "../../src/cli/show/lines.js";
import { summaryLines } from "../../src/cli/show/summary.js";
import { styleFor } from "../../src/cli/style.js";
import { CONTAINER_VIEWS, planConversion, summaryView, VIEWS, type ViewName } from "../../src/index.js";
import { DirectoryFileSet } from "../../src/io/file-set.js";
import { openDocument, openFileSet } from "../../src/open.js";
import { crimg } from "../helpers/cli.js";
import { assertGolden } from "../helpers/golden.js";
import { FIXTURE_NAMES, STREAM_FIXTURES } from "../helpers/images.js";
import { suite } from "../helpers/suite.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOOK = { style: styleFor(1, "never"), width: 80 };
/** Converted with --lossy. */
const LOSSY = ["container"];

const test = suite("golden: streams");

/** A set whose files are as old everywhere: when they were written is all that a stream takes from outside of them. */
class DatedFileSet extends DirectoryFileSet {
  override modified(): Date {
    return new Date("2026-01-02T03:04:05Z");
  }
}

for (const name of FIXTURE_NAMES)
  test(`${name}: the stream is what its set converts into, to the byte`, () => {
    const conversion = planConversion(openFileSet(new DatedFileSet(join(ROOT, "fixtures/criu", name))));
    if (conversion.to !== "linux-cr") throw new Error("a set becomes a stream");
    const bytes = Buffer.from(conversion.stream.read(0, conversion.stream.size));
    const path = join(ROOT, "fixtures/linux-cr", `${name}.ckpt`);
    if (process.env.BLESS === "1") writeFileSync(path, bytes);
    assert.ok(bytes.equals(readFileSync(path)), `${path} is another: run the test with BLESS=1`);
    assert.is(conversion.losses.length > 0, LOSSY.includes(name));
  });

for (const name of STREAM_FIXTURES) {
  const file = `fixtures/linux-cr/${name}.ckpt`;

  test(`${name}: summary and every view`, () => {
    const document = openDocument(file);
    const lines = ["$ crimg show", ...summaryLines(summaryView(document), LOOK)];
    for (const view of Object.keys(VIEWS) as ViewName[])
      if (!(CONTAINER_VIEWS as readonly ViewName[]).includes(view))
        lines.push("", `$ crimg show ${view}`, ...viewLines(view, VIEWS[view](document), LOOK));
    assertGolden(
      `${lines.map(rendered).join("\n")}\n`,
      join(ROOT, "fixtures/golden/streams", `${name}.show`),
    );
  });

  test(`${name}: info, validate, find`, async () => {
    let text = "";
    for (const args of [
      ["info", file],
      ["info", "--json", file],
      ["validate", file],
      ["find", file, `bin/${name}`],
    ]) {
      const { stdout, stderr } = await crimg(args, { cwd: ROOT });
      text += `$ crimg ${args.join(" ")}\n${stdout.replace(/by \d+ rules/, "by all rules")}${stderr}\n`;
    }
    assertGolden(text, join(ROOT, "fixtures/golden/streams", `${name}.info`));
  });
}

test.run();
