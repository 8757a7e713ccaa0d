import fs from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { CriuImage, ImageRecord } from "../../src/formats/criu/image.js";
import type { CriuImageSet } from "../../src/formats/criu/image-set.js";
import { applyPlan } from "../../src/ops/edit/apply.js";
import { EDIT_LOG } from "../../src/ops/edit/log.js";
import type { Edit } from "../../src/ops/edit/plan.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { undoEdits } from "../../src/ops/edit/undo.js";
import { assertBytes } from "../helpers/bytes.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { openSet } from "../helpers/open-set.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";
import { fixture } from "../unit/ops/edit/planned.js";

const test = suite("edits of real sets", {}, 300);
test.after(cleanUp);

const SETS = ["logger", "locks", "deleted", "sockets", "terminal", "threads", "tree", "container"];
const name = fc.stringMatching(/^[a-z]{1,12}$/);

/** Edits that fit most sets: paths of any new length, checks, descriptors, times, names, locks. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("remap-path"), text: name.map((to) => `/var/lib/crimg-demo=/${to}`) }),
  fc.record({ kind: fc.constant("remap-path"), text: name.map((to) => `/dev=/${to}/dev`) }),
  fc.record({ kind: fc.constant("no-file-check"), text: fc.constantFrom("*", "/dev/**", "*.conf", "log") }),
  fc.record({
    kind: fc.constant("fd"),
    text: fc
      .tuple(fc.nat(30), name, fc.constantFrom("", ",append"))
      .map(([fd, to, how]) => `1000:${fd}=/${to}${how}`),
  }),
  fc.record({ kind: fc.constant("drop-fd"), text: fc.nat(30).map((fd) => `1000:${fd}`) }),
  fc.record({
    kind: fc.constant("expiry"),
    text: fc.integer({ min: -9000, max: 9000 }).map((s) => `all=${s < 0 ? "" : "+"}${s}s`),
  }),
  fc.record({ kind: fc.constant("comm"), text: name.map((to) => `1000=${to}`) }),
  fc.record({ kind: fc.constant("hostname"), text: name }),
  fc.record({ kind: fc.constant("cgroup"), text: name.map((to) => `/crimg-demo=/${to}`) }),
  fc.record({
    kind: fc.constant("remap-address"),
    text: fc
      .ipV4()
      .filter((to) => to !== "0.0.0.0")
      .map((to) => `127.0.0.1=${to}`),
  }),
  fc.record({
    kind: fc.constant("lease"),
    text: fc.integer({ min: 8, max: 12 }).map((fd) => `1000:${fd}=drop`),
  }),
  fc.record({
    kind: fc.constant("lock"),
    text: fc.integer({ min: 4, max: 7 }).map((fd) => `1000:${fd}=drop`),
  }),
);

function copyOf(set: string): string {
  const directory = path.join(freshDirectory("property"), set);
  fs.cpSync(fixture(set), directory, { recursive: true });
  return directory;
}

function contents(directory: string): Map<string, Buffer> {
  return new Map(
    fs.readdirSync(directory).map((file) => [file, fs.readFileSync(path.join(directory, file))]),
  );
}

/** Makes the edits one run each; those that cannot be made are passed over. Gives how many were. */
function editInPlace(directory: string, edits: readonly Edit[]): number {
  let made = 0;
  for (const each of edits) {
    const document = openSet(directory);
    try {
      const plan = planEdits(document, [each]);
      const { entry } = applyPlan(document, plan, { to: "in place" }, { version: "test" });
      if (entry !== undefined) made++;
    } catch (error) {
      assert.is((error as { code?: string }).code, "EDIT", String((error as Error).stack));
    } finally {
      document.close();
    }
  }
  return made;
}

for (const set of SETS) {
  test(`${set}: any edits, undone, give the original bytes`, () => {
    let total = 0;
    holds(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const directory = copyOf(set);
        const made = editInPlace(directory, edits);
        total += made;
        if (made > 0) {
          const document = openSet(directory);
          undoEdits(document, made, { to: "in place" });
          document.close();
        }
        const [after, before] = [contents(directory), contents(fixture(set))];
        assert.equal([...after.keys()].sort(), [...before.keys()].sort());
        for (const [file, bytes] of before) assertBytes(after.get(file) as Buffer, bytes, file);
        fs.rmSync(path.dirname(directory), { recursive: true });
      }),
      { numRuns: 12 },
    );
    assert.ok(total > 0, "no edit was made at all");
  });

  test(`${set}: records that an edit does not name keep their bytes, and so do all other files`, () => {
    holds(
      fc.property(edit, (each) => {
        const directory = copyOf(set);
        const document = openSet(directory);
        const plan = planEdits(document, [each]);
        const copy = `${directory}-edited`;
        applyPlan(document, plan, { to: "new", path: copy }, { version: "test" });
        const [before, after] = [contents(directory), contents(copy)];
        const changed = new Set(plan.changes.map(({ image }) => image));
        for (const [file, bytes] of before)
          if (!changed.has(file)) assertBytes(after.get(file) as Buffer, bytes, file);
        for (const image of changed) assertRecordsKept(document.set, openSet(copy).set, image, plan.changes);
        assert.is(after.has(EDIT_LOG), changed.size > 0);
        document.close();
        fs.rmSync(path.dirname(directory), { recursive: true });
      }),
      { numRuns: 12 },
    );
  });
}

/** Compares message and payload bytes of all records but the changed, dropped and added ones. */
function assertRecordsKept(
  before: CriuImageSet,
  after: CriuImageSet,
  image: string,
  changes: readonly { image: string; record: number | undefined; field: string; after: unknown }[],
): void {
  const own = changes.filter((change) => change.image === image);
  const isDropped = (index: number): boolean =>
    own.some(({ record, field, after: fresh }) => record === index && field === "" && fresh === undefined);
  const old = before.imageNamed(image) as CriuImage;
  const fresh = after.imageNamed(image) as CriuImage;
  const kept = old.records().filter(({ index }) => !isDropped(index));
  for (const [at, record] of kept.entries()) {
    if (own.some(({ record: index }) => index === record.index)) continue;
    const twin = fresh.records()[at] as ImageRecord;
    const whole = ({ source }: CriuImage, { offset, end }: ImageRecord): Buffer =>
      source.read(offset - 4, end - offset + 4);
    assertBytes(whole(fresh, twin), whole(old, record), `${image}[${record.index}]`);
  }
}

test.run();
