import fs from "node:fs";
import path from "node:path";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { MemorySource } from "../../src/io/source.js";
import type { LinuxCrDocument } from "../../src/model/document.js";
import { openDocument, openStream } from "../../src/open.js";
import { applyPlan } from "../../src/ops/edit/apply.js";
import type { Edit } from "../../src/ops/edit/plan.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { undoEdits } from "../../src/ops/edit/undo.js";
import { assertBytes } from "../helpers/bytes.js";
import { cleanUp, freshDirectory } from "../helpers/live.js";
import { holds } from "../helpers/property.js";
import { suite } from "../helpers/suite.js";
import { assertFraming, streamBytes } from "../unit/ops/edit/stream/planned-stream.js";

const test = suite("edits of streams", {}, 300);
test.after(cleanUp);

const STREAMS = ["rich", "logger", "locks", "deleted", "sockets", "terminal", "threads", "tree", "container"];
const name = fc.stringMatching(/^[a-z]{1,12}$/);
const pid = fc.constantFrom(1, 1000);
const of = (kind: string, text: fc.Arbitrary<string>): fc.Arbitrary<Edit> =>
  fc.record({ kind: fc.constant(kind), text });
const descriptor = fc.tuple(pid, fc.nat(28)).map(([task, fd]) => `${task}:${fd}`);
const DELETED = ["small", "twin", "sparse", "linked"].map((file) => `/var/lib/crimg-demo/deleted/${file}`);

/** Edits that fit most streams: paths of any new length, descriptors, locks, times, names, fields. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  of(
    "remap-path",
    name.map((to) => `/var/lib/crimg-demo=/${to}`),
  ),
  of(
    "remap-path",
    name.map((to) => `/var=/${to}/var`),
  ),
  of(
    "remap-path",
    name.map((to) => `/dev=/${to}/dev`),
  ),
  of(
    "fd",
    fc.tuple(descriptor, name, fc.constantFrom("", ",append")).map(([fd, to, how]) => `${fd}=/${to}${how}`),
  ),
  of("drop-fd", descriptor),
  of("drop-fd", descriptor),
  of(
    "lock",
    descriptor.map((fd) => `${fd}=drop`),
  ),
  of(
    "lease",
    fc.tuple(descriptor, fc.constantFrom("drop", "settle", "write")).map(([fd, to]) => `${fd}=${to}`),
  ),
  of(
    "lease-expiry",
    fc.integer({ min: -90, max: 90 }).map((s) => `${s < 0 ? "" : "+"}${s}s`),
  ),
  of(
    "expiry",
    fc.integer({ min: -9000, max: 9000 }).map((s) => `all=${s < 0 ? "" : "+"}${s}s`),
  ),
  of(
    "comm",
    fc.tuple(pid, name).map(([task, to]) => `${task}=${to}`),
  ),
  of("hostname", name),
  of(
    "cgroup",
    name.map((to) => `/crimg-demo=/${to}`),
  ),
  of(
    "env",
    fc.tuple(pid, name).map(([task, to]) => `${task}:PATH=/${to}`),
  ),
  of(
    "remap-address",
    fc
      .ipV4()
      .filter((to) => to !== "0.0.0.0")
      .map((to) => `127.0.0.1=${to}`),
  ),
  of(
    "tcp-listen-remap",
    fc.integer({ min: 1, max: 65535 }).map((port) => `8080:${port}`),
  ),
  of("no-file-check", fc.constantFrom("*", "/dev/**", "*.conf", "log")),
  of(
    "deleted",
    fc.tuple(fc.constantFrom(...DELETED), name).map(([from, to]) => `${from}=copy:/${to}`),
  ),
  of(
    "set",
    fc.tuple(fc.nat(400), fc.nat(200)).map(([record, text]) => `[${record}].text=/${"x".repeat(text)}`),
  ),
);

/** Makes the edits one run each; those that cannot be made are passed over. Gives how many were. */
function editInPlace(file: string, edits: readonly Edit[]): number {
  let made = 0;
  for (const each of edits) {
    const document = openDocument(file) as LinuxCrDocument;
    const before = fs.readFileSync(file);
    try {
      const plan = planEdits(document, [each], { root: path.dirname(file) });
      const { entry } = applyPlan(document, plan, { to: "in place" }, { version: "test" });
      if (entry === undefined) continue;
      made++;
      assertFraming(before, fs.readFileSync(file), plan);
    } catch (error) {
      const { code, stack } = error as { code?: string; stack?: string };
      assert.ok(
        code === "EDIT" || (each.kind === "set" && code === "USAGE"),
        `${each.kind} ${each.text}: ${stack}`,
      );
      assertBytes(fs.readFileSync(file), before, "a refused edit changes nothing");
    } finally {
      document.close();
    }
  }
  return made;
}

for (const stream of STREAMS)
  test(`${stream}: any edits leave a whole image with all else as it was; undone, they give the original bytes`, () => {
    const original = streamBytes(stream);
    let total = 0;
    holds(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const directory = freshDirectory("edit-stream");
        const file = path.join(directory, "app.ckpt");
        fs.writeFileSync(file, original);
        const made = editInPlace(file, edits);
        total += made;
        if (made > 0) {
          const document = openDocument(file) as LinuxCrDocument;
          undoEdits(document, made, { to: "in place" });
          document.close();
        }
        assertBytes(fs.readFileSync(file), original, stream);
        const left = fs.readdirSync(directory).filter((entry) => entry.includes("crimg"));
        assert.equal(left, [], "the log went with its last entry");
        fs.rmSync(directory, { recursive: true });
      }),
      { numRuns: 20 },
    );
    assert.ok(total > 0, "no edit was made at all");
  });

const closing: fc.Arbitrary<Edit> = fc.oneof(
  of("drop-fd", descriptor),
  of(
    "fd",
    fc.tuple(descriptor, name).map(([fd, to]) => `${fd}=/${to}`),
  ),
);

for (const stream of ["rich", "locks", "deleted", "sockets", "terminal", "threads", "tree"])
  test(`${stream}: any descriptors closed or redirected at once leave a whole image`, () => {
    const document = openStream(new MemorySource(streamBytes(stream), "app.ckpt"));
    let [made, refused] = [0, 0];
    holds(
      fc.property(fc.array(closing, { minLength: 2, maxLength: 25 }), (edits) => {
        try {
          // The plan is read again as a stream before it is given out.
          if (planEdits(document, edits).changes.length > 0) made++;
        } catch (error) {
          assert.match(String(error), /run of its own|memfd holds the pages/, String((error as Error).stack));
          refused++;
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(made > refused, `${made} made, ${refused} refused`);
  });

test.run();
