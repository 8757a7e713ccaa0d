/** What a restore by the slim backend would do, and what it does not support: worked out from images alone. */
import * as assert from "uvu/assert";
import { type Host, thisHost } from "../../../../src/backends/slim/restore/host.js";
import { type Image, readImage } from "../../../../src/backends/slim/restore/image.js";
import { ORDER, planOf, type Step } from "../../../../src/backends/slim/restore/plan.js";
import { unsupportedOf } from "../../../../src/backends/slim/restore/unsupported.js";
import { LinuxCrImage } from "../../../../src/formats/linux-cr/image.js";
import type { RecordKind } from "../../../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../../src/formats/linux-cr/records.js";
import { editSplices, type RecordEdit } from "../../../../src/formats/linux-cr/write.js";
import { isCrimgError } from "../../../../src/io/errors.js";
import { MemorySource } from "../../../../src/io/source.js";
import { SplicedSource } from "../../../../src/io/splice.js";
import { StreamReader } from "../../../../src/model/linux-cr/reader.js";
import { usedComponents } from "../../../../src/model/x86-registers.js";
import { DIALECTS } from "../../../helpers/arbitrary-stream.js";
import { convertedFixture } from "../../../helpers/converted-stream.js";
import { richStream } from "../../../helpers/rich-stream.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("slim plan");

/** A host on which everything of the fixtures can be restored, whatever this one is. */
const HOST: Host = {
  ...thisHost(),
  arch: "x64",
  pidMax: 4_194_304,
  cpuFlags: new Set(["avx", "avx512f", "pku"]),
  vdso: undefined,
  capabilities: (1n << 41n) - 1n,
  bounding: (1n << 41n) - 1n,
  uid: 0,
  gid: 0,
  groups: [],
  hardLimits: [],
  isTaken: () => false,
  whyNotReplaced: () => undefined,
};

function imageOf(name: string, edits: ReadonlyMap<number, RecordEdit> = new Map()): Image {
  const { image } = convertedFixture(name);
  const source = new SplicedSource(image.source, editSplices(image, edits));
  return readImage(new StreamReader(new LinuxCrImage(source)));
}

/** The fixture with other values in the n-th record of a kind. */
function edited(name: string, kind: RecordKind, fields: Readonly<Record<string, unknown>>, nth = 0): Image {
  const { image } = convertedFixture(name);
  const all = Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === kind);
  return imageOf(name, new Map([[all[nth] as number, { fields }]]));
}

function stepsOf<K extends Step["kind"]>(image: Image, kind: K, host = HOST): Extract<Step, { kind: K }>[] {
  return planOf(image, host)
    .flatMap(({ steps }) => steps)
    .filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
}

/** All but those about the vDSO, which is that of the machine that a fixture was taken on. */
function unsupported(image: Image, host: Host = HOST): string[] {
  return unsupportedOf(image, host).filter((line) => !line.includes("vDSO"));
}

test("phases stand in the order of work, and every step says what it does", () => {
  const phases = planOf(imageOf("logger"), HOST);
  assert.equal(
    phases.map(({ name }) => name),
    ORDER.map(([name]) => name),
  );
  for (const { steps } of phases) for (const { what } of steps) assert.match(what, /^[a-z]/);
  const at = (name: string): number => phases.findIndex((phase) => phase.name === name);
  assert.ok(at("files") < at("tasks") && at("locks") < at("deadlines"));
  assert.ok(at("deadlines") < at("registers") && at("registers") < at("verification"));
  assert.is(at("resume") >= phases.length - 2, true);
});

test("parents are made before their children, and a task begins its session before those of its session are made", () => {
  const image = imageOf("tree");
  const made = planOf(image, HOST).flatMap(({ steps }) => steps);
  const at = (kind: Step["kind"], task: number): number =>
    made.findIndex((step) => step.kind === kind && step.task === task);
  const root = image.processes[0]?.ids.pid ?? 0;
  for (const { ids } of image.processes) {
    if (ids.pid === root) continue;
    assert.ok(at("task", ids.ppid) < at("task", ids.pid), `task ${ids.pid}`);
    if (ids.sid === root) assert.ok(at("session", root) < at("task", ids.pid));
  }
});

test("leaders that had ended have helpers, which end when all members of their group or session are there", () => {
  const image = imageOf("tree");
  const known = new Set(image.processes.map(({ ids }) => ids.pid));
  const gone = new Set(
    image.processes.flatMap(({ ids }) => [ids.sid, ids.pgid].filter((id) => id > 0 && !known.has(id))),
  );
  assert.ok(gone.size >= 2);
  assert.equal(new Set(stepsOf(image, "helper").map(({ id }) => id)), gone);
  assert.equal(new Set(stepsOf(image, "end helper").map(({ id }) => id)), gone);
  const [ids] = stepsOf(image, "ids");
  for (const id of gone) assert.ok(ids?.ids.includes(id), `the id ${id} must be free`);
});

test("a task that shares the descriptors of its parent is cloned with them, and takes none of its own", () => {
  const image = imageOf("tree");
  const [sharing, ...others] = stepsOf(image, "task").filter(({ sharesTable }) => sharesTable);
  assert.ok(sharing);
  assert.equal(others, []);
  assert.equal(
    stepsOf(image, "descriptor").filter(({ task }) => task === sharing.task),
    [],
  );
});

/** The processes of an image in a session and group that no task of it leads. */
function inSession(image: Image, id: number): Image {
  const processes = image.processes.map((each) => ({ ...each, ids: { ...each.ids, sid: id, pgid: id } }));
  return { ...image, processes };
}

test("a session whose leader runs outside the checkpoint becomes that of crimg, and the step says so", () => {
  const image = inSession(imageOf("threads"), 77);
  const host = { ...HOST, isTaken: (id: number) => id === 77 };
  assert.equal(stepsOf(image, "helper", host), []);
  assert.equal(stepsOf(image, "group", host), []);
  const [root] = stepsOf(image, "task", host);
  assert.is(
    root?.why,
    "the leader of its session 77 is outside the checkpoint: it joins the session of crimg",
  );
  assert.is(stepsOf(image, "verify", host)[0]?.external, 77);
});

test("a session whose leader is gone for good is begun by a helper, from which the root is cloned", () => {
  const image = inSession(imageOf("threads"), 77);
  assert.equal(
    stepsOf(image, "helper").map(({ id, leads, parent }) => ({ id, leads, parent })),
    [{ id: 77, leads: "session", parent: 0 }],
  );
  assert.is(stepsOf(image, "task")[0]?.from, 77);
  assert.is(stepsOf(image, "verify")[0]?.external, undefined);
});

test("a child that was in the session of a sibling is cloned from that sibling", () => {
  const image = imageOf("tree");
  const [root, first, second] = image.processes.filter(
    ({ ids, exitStatus }) => exitStatus === undefined && ids.pid > 0,
  );
  assert.ok(root && first && second);
  const processes = image.processes.map((each) =>
    each === second
      ? { ...each, ids: { ...each.ids, ppid: root.ids.pid, sid: first.ids.pid, pgid: first.ids.pid } }
      : each === first
        ? { ...each, ids: { ...each.ids, ppid: root.ids.pid, sid: each.ids.pid, pgid: each.ids.pid } }
        : each,
  );
  const asked = stepsOf({ ...image, processes }, "task").find(({ task }) => task === second.ids.pid);
  assert.is(asked?.from, first.ids.pid);
  assert.is(asked?.asSibling, true);
});

test("the fixtures hold nothing unsupported", () => {
  for (const name of ["logger", "threads", "tree", "locks"])
    assert.equal(unsupported(imageOf(name)), [], name);
});

test("state of a component that the processor lacks is not supported, thread by thread", () => {
  const lines = unsupported(imageOf("threads"), { ...HOST, cpuFlags: new Set() });
  const { threads = [] } = imageOf("threads").processes[0] ?? {};
  const using = threads.filter(({ extended }) => usedComponents(extended).length > 0);
  assert.ok(using.length > 0);
  for (const { tid } of using)
    assert.ok(
      lines.some(
        (line) => line.startsWith(`thread ${tid} of task `) && line.endsWith(", which this processor lacks"),
      ),
      lines.join("\n"),
    );
});

test("32-bit code is not supported", () => {
  const lines = unsupported(edited("logger", RECORDS.CPU, { cs: 1 }));
  assert.is(lines.length, 1);
  assert.match(lines[0] ?? "", /^thread \d+ of task \d+ runs 32-bit code$/);
});

test("another architecture is not supported, and nothing else of the image is read", () => {
  const { image } = convertedFixture("logger");
  const other = { ...imageOf("logger"), architecture: "s390x" };
  assert.equal(unsupportedOf(other, HOST), ["the tasks are s390x; the slim backend restores x86-64 only"]);
  assert.equal(unsupportedOf(imageOf("logger"), { ...HOST, arch: "arm64" }), [
    "the tasks are x86-64; this processor is arm64",
  ]);
  assert.ok(image.length > 0);
});

test("each id beyond pid_max is reported", () => {
  const image = imageOf("threads");
  const count = image.processes.flatMap(({ threads }) => threads).length;
  const lines = unsupported(image, { ...HOST, pidMax: 301 });
  assert.is(lines.length, count);
  for (const line of lines)
    assert.match(line, /ids end at 300 on this host: raise \/proc\/sys\/kernel\/pid_max/);
});

test("a time namespace of its own is not supported", () => {
  assert.equal(unsupported(edited("logger", RECORDS.CLOCKS, { flags: 3 })), [
    "the tasks have their own time namespace",
  ]);
});

test("VMAs that overlap or leave the address space are not supported, each with its task", () => {
  const { image } = convertedFixture("logger");
  const vmas = Array.from({ length: image.length }, (_, i) => i).filter((i) => image.kind(i) === RECORDS.VMA);
  const { vm_end: end } = image.value(vmas[1] as number, RECORDS.VMA);
  const overlapping = edited("logger", RECORDS.VMA, { vm_end: end }, 0);
  assert.match(
    unsupported(overlapping)[0] ?? "",
    /^task \d+: VMA 0x[\da-f]+-0x[\da-f]+ overlaps the one before it$/,
  );
  const beyond = edited("logger", RECORDS.VMA, { vm_end: 0x8000_0000_0000n }, vmas.length - 2);
  assert.ok(
    unsupported(beyond).some((line) => line.endsWith("is outside the address space of a 64-bit task")),
  );
});

test("missing capabilities are told once each, with what they are needed for", () => {
  const image = edited("logger", RECORDS.CRED, { uid: 1000, euid: 1000 });
  const setuid = 1n << 7n;
  const lines = unsupported(image, { ...HOST, capabilities: HOST.capabilities & ~setuid });
  assert.ok(
    lines.some((line) =>
      /^crimg lacks the capability CAP_SETUID, which task \d+ needs to become user 1000/.test(line),
    ),
    lines.join("\n"),
  );
  assert.is(lines.filter((line) => line.includes("CAP_SETUID,")).length, 1);
  const resource = 1n << 24n;
  const limited = { ...HOST, capabilities: HOST.capabilities & ~resource, hardLimits: Array(16).fill(0n) };
  const [line = ""] = unsupported(imageOf("logger"), limited).filter((each) =>
    each.includes("CAP_SYS_RESOURCE,"),
  );
  assert.match(line, /needs to restore its limit of .*$/);
});

function told(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isCrimgError(error)) return error.message;
    throw error;
  }
  return "";
}

for (const dialect of DIALECTS.filter(({ arch }) => arch.name !== "x86_64"))
  test(`tasks of ${dialect.arch.name} in header set ${dialect.commit} are refused, and no plan is made`, () => {
    const stream = new LinuxCrImage(new MemorySource(richStream(dialect), "other.ckpt"));
    const image = readImage(new StreamReader(stream));
    assert.is(unsupportedOf(image, HOST).length, 1);
    assert.match(
      told(() => planOf(image, HOST)),
      /^other.ckpt: the slim backend restores x86-64 tasks/,
    );
  });

test("a state of the processor that says more components than it has is damage", () => {
  const image = edited("logger", RECORDS.XSTATE, { nr_components: 99 });
  assert.match(
    told(() => unsupportedOf(image, HOST)),
    /component \d+ of the processor's state does not fit/,
  );
});

test.run();
