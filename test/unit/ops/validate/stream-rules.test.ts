import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { ARCHITECTURES, archNumbering, COMMITS } from "../../../../src/formats/linux-cr/revisions.js";
import { MemorySource } from "../../../../src/io/source.js";
import { VM_HUGEPAGE, VM_LOCKONFAULT, VM_NORESERVE, VM_WIPEONFORK } from "../../../../src/linux/mman.js";
import type { LinuxCrDocument } from "../../../../src/model/document.js";
import { openDocument, openStream } from "../../../../src/open.js";
import { MODEL_RULES } from "../../../../src/ops/validate/rules/rules.js";
import { STREAM_RULES } from "../../../../src/ops/validate/stream/rules.js";
import { type Verdict, validate } from "../../../../src/ops/validate/validate.js";
import { FIXTURE_NAMES } from "../../../helpers/images.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedStream, R, type StreamName, wholeStream } from "./damaged-stream.js";
import type { StreamCase } from "./stream-cases/case.js";
import { frameCases } from "./stream-cases/frame.js";
import { objectCases } from "./stream-cases/objects.js";
import { ourCases } from "./stream-cases/ours.js";

const test = suite("rules about a linux-cr stream");
const CASES: readonly StreamCase[] = [...frameCases, ...objectCases, ...ourCases];

function check(document: LinuxCrDocument): Verdict {
  const verdict = validate(document);
  document.close();
  return verdict;
}

function idsOf(verdict: Verdict): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { id } of verdict.findings) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

const baselines = new Map<string, ReadonlyMap<string, number>>();

/** How often each rule speaks about the whole stream. */
function baseline(name: StreamName): ReadonlyMap<string, number> {
  const bytes = wholeStream(name);
  const known = baselines.get(name) ?? idsOf(check(openStream(new MemorySource(bytes, `${name}.ckpt`))));
  baselines.set(name, known);
  return known;
}

for (const { id, what, damaged, also } of CASES)
  test(`${id} is found: ${what}`, () => {
    const stream = damaged();
    const before = baseline(stream.name);
    const fresh = [...idsOf(check(stream.open()))]
      .filter(([rule, count]) => count > (before.get(rule) ?? 0))
      .map(([rule]) => rule);
    assert.equal(fresh.sort(), [id, ...also].sort());
  });

/** Fragments stand in the rich stream with unix sockets, for want of others that have queues. */
const IN_RICH = ["UNIX_FRAGMENTS"];

test("every rule has a case", () => {
  const covered = new Set([...CASES.map(({ id }) => id), ...IN_RICH, "STREAM_SALVAGED"]);
  assert.equal(
    STREAM_RULES.map(({ id }) => id).filter((id) => !covered.has(id)),
    [],
  );
});

test("VMA_FLAGS: bits that newer kernels use for advice are refused of old streams, not of ours", () => {
  const spoken = (name: StreamName, flag: bigint): number => {
    const stream = new DamagedStream(name).set(R.VMA, { vm_flags: 0x73n | flag }, 1);
    return idsOf(check(stream.open())).get("VMA_FLAGS") ?? 0;
  };
  for (const flag of [VM_NORESERVE, VM_HUGEPAGE, VM_WIPEONFORK, VM_LOCKONFAULT]) {
    assert.is(spoken("logger", flag), 0, `0x${flag.toString(16)}`);
    assert.is(spoken("rich", flag), 1, `0x${flag.toString(16)}`);
  }
  const pageless = 0x400n;
  assert.equal([spoken("logger", pageless), spoken("rich", pageless)], [1, 1]);
});

test("the minimal stream is valid", () => {
  const document = openDocument(
    fileURLToPath(new URL("../../../../fixtures/linux-cr/minimal.ckpt", import.meta.url)),
  );
  const verdict = validate(document);
  assert.equal([verdict.valid, verdict.findings], [true, []]);
  assert.equal(verdict.checked, { ...verdict.checked, images: 1, records: 74, tasks: 1, files: 2, locks: 0 });
  document.close();
});

for (const commit of COMMITS)
  for (const arch of archNumbering(commit))
    for (const v18 of [false, true])
      test(`a rich stream of ${commit} on ${arch}${v18 ? " in the order of v18" : ""} breaks no other rule`, () => {
        const bytes = richStream({ commit, arch: ARCHITECTURES[arch] }, { v18, dialectRecords: true });
        const { findings } = check(openStream(new MemorySource(bytes, "rich.ckpt")));
        const others = findings.filter(({ id }) => !IN_RICH.includes(id));
        assert.equal(
          others.map(({ id, at, what, expected, found }) => ({ id, at, what, expected, found })),
          [],
        );
      });

for (const name of FIXTURE_NAMES)
  test(`${name}, converted to a stream, breaks no rule`, () => {
    const { findings, checked } = check(
      openStream(new MemorySource(wholeStream(name as StreamName), `${name}.ckpt`)),
    );
    assert.equal(findings, []);
    assert.ok(checked.rules === STREAM_RULES.length + MODEL_RULES.length + 1);
  });

test.run();
