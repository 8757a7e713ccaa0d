import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { PagemapEntry } from "../../../../src/formats/criu/tables/pagemap.js";
import { openDocument } from "../../../../src/open.js";
import { MODEL_RULES } from "../../../../src/ops/validate/rules/rules.js";
import { SET_RULES } from "../../../../src/ops/validate/set/rules.js";
import { RULES, validate } from "../../../../src/ops/validate/validate.js";
import { suite } from "../../../helpers/suite.js";
import type { Case } from "./case.js";
import { fileCases, referenceCases } from "./cases/files.js";
import { imageCases, treeCases } from "./cases/images.js";
import { lockAndSocketCases, memoryCases, taskCases } from "./cases/memory.js";
import { DamagedSet, FIXTURES } from "./damaged-set.js";

const test = suite("rules about a set");
const CASES: readonly Case[] = [
  ...imageCases,
  ...treeCases,
  ...fileCases,
  ...referenceCases,
  ...memoryCases,
  ...taskCases,
  ...lockAndSocketCases,
];

/** How often each rule speaks about the undamaged set. */
const baselines = new Map<string, ReadonlyMap<string, number>>();

function idsOf(set: DamagedSet): Map<string, number> {
  const counts = new Map<string, number>();
  const document = set.open();
  for (const { id } of validate(document).findings) counts.set(id, (counts.get(id) ?? 0) + 1);
  document.close();
  return counts;
}

function baseline(fixture: string): ReadonlyMap<string, number> {
  const known = baselines.get(fixture) ?? idsOf(new DamagedSet(fixture));
  baselines.set(fixture, known);
  return known;
}

for (const { id, what, damaged, also } of CASES)
  test(`${id} is found: ${what}`, () => {
    const set = damaged();
    const before = baseline(set.fixture);
    const fresh = [...idsOf(set)]
      .filter(([rule, count]) => count > (before.get(rule) ?? 0))
      .map(([rule]) => rule);
    assert.equal(fresh.sort(), [id, ...also].sort());
  });

test("PARENT_PAGES is found: the parent lacks what an entry says", () => {
  const directory = mkdtempSync(join(tmpdir(), "crimg-validate-"));
  try {
    const parent = join(directory, "1");
    const set = join(directory, "2");
    cpSync(join(FIXTURES, "logger"), parent, { recursive: true });
    cpSync(join(FIXTURES, "logger"), set, { recursive: true });
    symlinkSync("../1", join(set, "parent"));
    const inParent = new DamagedSet("logger").set("pagemap-1000.img[1].flags", 1);
    const pages = inParent.read("pages-1.img");
    const count = new DamagedSet("logger").open().set.records(IMAGES.PAGEMAP, 1000)[1]?.value as PagemapEntry;
    writeFileSync(join(set, "pagemap-1000.img"), inParent.read("pagemap-1000.img"));
    writeFileSync(join(set, "pages-1.img"), pages.subarray(4096 * count.compat_nr_pages));
    assert.equal(validate(openDocument(set)).findings, []);

    writeFileSync(
      join(parent, "pagemap-1000.img"),
      new DamagedSet("logger").drop("pagemap-1000.img", 1).read("pagemap-1000.img"),
    );
    const verdict = validate(openDocument(set));
    assert.equal(
      verdict.findings.map(({ id, at }) => [id, at.image, at.record]),
      [["PARENT_PAGES", "pagemap-1000.img", 1]],
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("every rule has a case", () => {
  const covered = new Set([...CASES.map(({ id }) => id), "PARENT_PAGES"]);
  assert.equal(
    SET_RULES.map(({ id }) => id).filter((id) => !covered.has(id)),
    ["IMAGE_UNREADABLE"], // needs a user that is not root: test/cli/validate.test.ts
  );
});

test("ids are unique and in UPPER_SNAKE", () => {
  assert.is(new Set(RULES.map(({ id }) => id)).size, RULES.length);
  assert.equal(
    RULES.filter(({ id }) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(id)),
    [],
  );
});

test("what rules say of themselves are sentences", () => {
  const wrong = RULES.flatMap(({ about, mend }) => [about, mend]).filter(
    (text) => !/^[A-Zacr].*[.]$/s.test(text),
  );
  assert.equal(wrong, []);
});

for (const fixture of readdirSync(FIXTURES))
  test(`${fixture} has no errors`, () => {
    const document = new DamagedSet(fixture).open();
    const verdict = validate(document);
    assert.equal(
      verdict.findings.filter(({ severity }) => severity === "error"),
      [],
    );
    assert.ok(verdict.valid);
    assert.ok(verdict.checked.records > 0 && verdict.checked.rules === SET_RULES.length + MODEL_RULES.length);
    document.close();
  });

test.run();
