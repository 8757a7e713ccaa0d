// One meaning in both families: what is found in an image, and what an edit does to it, is the same for the image and
// for what convert makes of it.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { IMAGES } from "../../src/formats/criu/images.js";
import { isCrimgError } from "../../src/io/errors.js";
import { OverlayFileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import { SplicedSource, splicedFiles } from "../../src/io/splice.js";
import type { Document } from "../../src/model/document.js";
import type { Descriptor } from "../../src/model/open-file.js";
import type { Policy } from "../../src/model/policy.js";
import { openFileSet, openStream } from "../../src/open.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import type { Edit } from "../../src/ops/edit/plan.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { type Converted, converted, type Meaning, meaningOf, meaningTexts } from "../helpers/families.js";
import { type MutantImage, sample, setMutants, streamMutants } from "../helpers/family-mutants.js";
import { freshDirectory } from "../helpers/live.js";
import { SEED, TIMES } from "../helpers/seed.js";
import { suite } from "../helpers/suite.js";
import { edits } from "../unit/ops/edit/planned.js";
import { DamagedSet } from "../unit/ops/validate/damaged-set.js";

const test = suite("both families mean the same", undefined, 600);

/** A field with a value that the kernel, or criu 4.2.1, refuses. */
const REFUSED: readonly (readonly [fixture: string, place: string, value: unknown])[] = [
  ["threads", "core-1000.img[0].thread_core.sched_nice", 45],
  ["threads", "core-1000.img[0].thread_core.sched_nice", -99],
  ["threads", "core-1000.img[0].thread_core.sched_policy", 77],
  ["threads", "core-1000.img[0].thread_core.sched_prio", 7],
  ["threads", "core-1000.img[0].thread_core.pdeath_sig", 99],
  ["threads", "core-1000.img[0].thread_core.rseq_entry.rseq_abi_size", 4],
  ["threads", "core-1000.img[0].thread_core.sas", { ss_sp: 0x1000n, ss_size: 16n, ss_flags: 0 }],
  ["threads", "core-1000.img[0].tc.oom_score_adj", 5000],
  ["logger", "core-1000.img[0].thread_core.creds.lsm_profile", "docker-default"],
  ["threads", "files.img[9].efd.counter", (1n << 64n) - 1n],
  ["threads", "core-1000.img[0].thread_core.creds.secbits", 0x4000],
  ["threads", "core-1000.img[0].thread_core.futex_rla_len", 12],
  ["threads", "core-1000.img[0].tc.timers.posix[0].si_signo", 99],
  ["threads", "core-1000.img[0].tc.timers.posix[0].it_sigev_notify", 77],
  ["threads", "core-1000.img[0].tc.timers.posix[0].clock_id", 55],
  ["logger", "files.img[3].reg.flags", 0o1001],
  ["logger", "files.img[3].reg.pos", 1n << 63n],
  ["logger", "files.img[3].reg.mode", 0o644],
  ["logger", "files.img[3].reg.name", "/var/../log"],
  ["logger", "files.img[3].reg.name", "var/log"],
  ["logger", "files.img[3].reg.fown.signum", 99],
  ["logger", "fdinfo-2.img[3].fd", 0],
  ["deleted", "ghost-file-7.img[0].mode", 0o140644],
  ["deleted", "ghost-file-7.img[0].mode", 0o100755],
  ["deleted", "ghost-file-4.img[1].off", 1n << 40n],
  ["tree", "pipes-data.img[0].size", 100],
  ["terminal", "files.img[6].ify.wd[0].wd", 0],
  ["terminal", "files.img[6].ify.wd[0].mask", 0],
  ["locks", "filelocks.img[0].start", -1n],
  ["locks", "filelocks.img[0].type", 2],
  ["locks", "files.img[4].reg.flags", 0],
  ["locks", "files.img[8].reg.flags", 2],
  ["sockets", "files.img[22].isk.state", 77],
  ["sockets", "files.img[25].isk.family", 5],
  ["sockets", "files.img[25].isk.shutdown", 9],
  ["sockets", "files.img[28].psk.version", 3],
  ["sockets", "files.img[5].usk.peer", 260662],
  ["sockets", "files.img[13].usk.ino", 260668],
  ["sockets", "files.img[13].usk.name", Buffer.from("socket\0")],
  ["sockets", "files.img[13].usk.file_perms.mode", 0o100644],
  ["sockets", "sk-queues.img[12].scm[0].rights", Array.from({ length: 254 }, () => 22)],
  ["sockets", "tcp-stream-3fa43.img[0].unsq_len", 5],
  ["sockets", "tcp-stream-3fa43.img[0].timestamp", undefined],
  ["sockets", "tcp-stream-3fa43.img[0].rcv_wscale", 15],
  ["logger", "fs-1000.img[0].umask", 0o1777],
  ["logger", "mm-1000.img[0].mm_end_code", 0n],
  ["logger", "mm-1000.img[0].mm_brk", 1n],
  ["threads", "mm-1000.img[0].vmas[7].end", 0x7ff35c01b000n],
  ["container", "ipcns-shm-11.img[0].desc.id", 0x8000_0000],
  ["container", "ipcns-shm-11.img[0].size", 0n],
  ["container", "ipcns-var-11.img[0].shm_rmid_forced", 2],
  ["container", "ipcns-var-11.img[0].msg_next_id", 0xffff_fff0],
  ["threads", "core-1000.img[0].tc.rlimits.rlimits[7]", { cur: 10n, max: 9n }],
  ["threads", "core-1000.img[0].tc.timers.posix[1].it_id", 0],
  ["threads", "core-1000.img[0].thread_core.creds.cap_prm", [0, 0]],
  ["threads", "core-1000.img[0].thread_core.rseq_entry.rseq_abi_pointer", 8n],
  ["threads", "core-1000.img[0].tc.signals_s.signals[0].siginfo", Buffer.alloc(128, 65)],
];

/** A field with a value that is found and does not keep the image from being restored. */
const SUSPICIOUS: readonly (readonly [fixture: string, place: string, value: unknown])[] = [
  ["sockets", "files.img[13].usk.name", Buffer.from("/run/socket")],
  ["sockets", "files.img[13].usk.file_perms", undefined],
  ["logger", "files.img[3].reg.flags", 0o401],
  ["logger", "files.img[3].reg.flags", 0o2000001],
  ["logger", "files.img[3].reg.name", "/var//log"],
  ["logger", "files.img[3].reg.name", "/var/log (deleted)"],
  ["deleted", "ghost-file-4.img[2].off", 0n],
  ["tree", "pipes-data.img[0].size", 70_000],
];

/** Edits that both families can express. */
const EDITS: readonly (readonly [fixture: string, edit: string])[] = [
  ["sockets", "remap-address 127.0.0.1=10.11.12.13"],
  ["sockets", "tcp-listen-remap 55187:81,36847:82"],
  ["sockets", "remap-path /var/lib/crimg-demo/sockets=/srv/moved"],
  ["logger", "no-file-check /**"],
  ["logger", "accept-file **/logger.conf"],
  ["deleted", "no-file-check /**"],
  ["logger", "drop-fd 1000:3"],
  ["tree", "drop-fd 1000:3"],
  ["terminal", "drop-fd 1005:5"],
  ["deleted", "drop-fd 1000:3"],
  ["logger", "remap-path /var/lib=/srv"],
  ["container", "hostname elsewhere"],
  ["container", "env 1:PATH=/bin"],
  ["threads", "expiry all=+30s"],
  ["threads", "expiry all=-10h"],
  ["threads", "expiry real==1500ns"],
  ["threads", "expiry prof=x0.3333"],
  ["threads", "expiry posix[1000:1]=x2"],
  ["threads", "expiry timerfd[1000]=+1s"],
  ["threads", "comm 1000=other"],
  ["tree", "comm 1003=other"],
  ["container", "comm 1=other"],
  ["container", "cgroup /crimg-demo=/elsewhere/deeper"],
  ["container", "cgroup /=/below"],
  ["deleted", "remap-path /var/lib/crimg-demo=/srv"],
  ["deleted", "remap-path /var/lib/crimg-demo/deleted/linked=/var/lib/crimg-demo/other/linked"],
  ["deleted", "remap-path /var/lib/crimg-demo/deleted/link=/srv/link"],
  ["locks", "remap-path /var/lib/crimg-demo/locks=/srv"],
  ["terminal", "remap-path /dev=/srv/dev"],
  ["threads", "remap-path /var/lib/crimg-demo=/srv"],
  ["tree", "remap-path /=/srv"],
  ["container", "remap-path /log=/var/log"],
  ["logger", "fd 1000:3=/srv/out"],
  ["logger", "fd 1000:3=/srv/out,append"],
  ["logger", "fd 1000:0=/srv/in"],
  ["locks", "lock 1000:4:100-199=read"],
  ["locks", "lock 1000:5=drop"],
  ["locks", "lease 1000:9=drop"],
];

const NO_POLICY = { path: undefined, type: undefined, fd: undefined, to: undefined, append: false };

const POLICIES: readonly (readonly [
  fixture: string,
  policies: readonly (Partial<Policy> & Pick<Policy, "action">)[],
])[] = [
  [
    "logger",
    [
      { path: "**/messages", action: "ignore" },
      { path: "/var/lib/**", action: "reopen" },
    ],
  ],
  ["logger", [{ path: "**/logger.conf", action: "accept" }]],
  ["logger", [{ path: "/var/lib/**", action: "remap", to: "/srv/all/" }]],
  ["deleted", [{ path: "/var/lib/**", action: "remap", to: "/srv/all/" }]],
  [
    "sockets",
    [
      { type: "netlinksk", action: "drop" },
      { type: "UNIXSK", action: "drop" },
    ],
  ],
  ["sockets", [{ type: "socket", action: "reopen", to: "/srv/out", append: true }]],
  ["terminal", [{ type: "tty", action: "reopen", to: "/srv/tty", append: true }]],
  ["tree", [{ type: "PIPE", action: "drop" }]],
  [
    "threads",
    [
      { type: "EVENTFD", action: "drop" },
      { type: "MEMFD", action: "ignore" },
    ],
  ],
  [
    "locks",
    [
      { fd: "4", action: "drop" },
      { fd: "1000:9", action: "reopen", to: "/srv/x" },
    ],
  ],
];

/** What closes or redirects each descriptor of a task. */
const OF_EACH_DESCRIPTOR = ["drop-fd PID:FD", "fd PID:FD=/srv/out,append"];

function assertSameMeaning(one: Meaning, other: Meaning): void {
  assert.equal(meaningTexts(one, other), meaningTexts(other, one));
}

for (const [fixture, place, value] of REFUSED)
  test(`${place} = ${value} of ${fixture} is invalid in both`, () => {
    const set = new DamagedSet(fixture).set(place, value).open();
    const found = meaningOf(set);
    assert.not.ok(found.isValid, "the set is valid");
    assert.ok(found.findings.length > 0, "no rule about the meaning found it");
    const stream = meaningOf(converted(set).document);
    assertSameMeaning(stream, found);
    assert.not.ok(stream.isValid, "the stream is valid");
  });

for (const [fixture, place, value] of SUSPICIOUS)
  test(`${place} = ${value} of ${fixture} is suspicious in both`, () => {
    const set = new DamagedSet(fixture).set(place, value).open();
    const found = meaningOf(set);
    assert.ok(found.findings.length > 0, "no rule about the meaning found it");
    assertSameMeaning(meaningOf(converted(set).document), found);
  });

/** Sets with a lock that the kernel refuses. */
const REFUSED_LOCKS: readonly (readonly [what: string, set: () => DamagedSet])[] = [
  [
    "a write lease on a file that is open elsewhere",
    () => {
      const { locks, files } = new DamagedSet("locks").open().checkpoint;
      const lease = locks.find(
        ({ kind, type, breaking }) => kind === "lease" && type === "write" && !breaking,
      );
      const held = new Set(locks.map(({ file }) => file));
      const other = files.all.find(
        (file) => file.type === "REG" && !held.has(file) && file.size !== undefined,
      );
      return new DamagedSet("locks").set(`files.img[${other?.origin.record}].reg.name`, lease?.file?.path);
    },
  ],
  ["a POSIX lock on a pipe", () => lockOn("tree", ({ type }) => type === "PIPE")],
];

/** A set in which the first task has a POSIX lock on the first such descriptor. */
function lockOn(fixture: string, isChosen: (descriptor: Descriptor) => boolean): DamagedSet {
  const [task] = new DamagedSet(fixture).open().checkpoint.tasks;
  const fd = task?.descriptors?.descriptors.find(isChosen)?.fd;
  if (task === undefined || fd === undefined) throw new Error(`${fixture} has no such descriptor`);
  return new DamagedSet(fixture).add(
    IMAGES.FILE_LOCKS,
    "filelocks.img",
    IMAGES.FILE_LOCKS.entries[0].message,
    { flag: 1, type: 0, pid: task.pid, fd, start: 0n, len: 100n },
  );
}

for (const [what, damaged] of REFUSED_LOCKS)
  test(`${what} is invalid in both`, () => {
    const found = meaningOf(damaged().open());
    const stream = meaningOf(converted(damaged().open()).document);
    assert.equal([found.isValid, stream.isValid], [false, false]);
    assertSameMeaning(stream, found);
  });

test("a window of a terminal beyond 16 bits is invalid, and not converted", () => {
  const set = new DamagedSet("terminal").set("tty-info.img[0].winsize.ws_row", 99_999_999).open();
  assert.equal(
    meaningOf(set).findings.map(({ id }) => id),
    ["FIELD_VALUE"],
  );
  assert.throws(() => converted(set), /invalid value 99999999/);
});

test("a lock is dropped through any task that shares its table, in both", () => {
  const { tasks } = new DamagedSet("tree").open().checkpoint;
  const [first] = tasks;
  const sharer = tasks.find((task) => task !== first && task.descriptors?.id === first?.descriptors?.id);
  const set = lockOn("tree", ({ type }) => type === "REG").open();
  const fd = set.checkpoint.locks[0]?.fd;
  const stream = converted(set).document;
  const edit = edits(`lock ${sharer?.pid}:${fd}=drop`);
  assert.equal(
    [edited(set, edit), edited(stream, edit)].map(({ checkpoint }) => checkpoint.locks.length),
    [0, 0],
  );
});

/** Seconds beyond the nanoseconds of the kernel, which counts no further than 2^63-1 of them. */
for (const place of [
  "core-1000.img[0].tc.timers.posix[0].vsec",
  "core-1000.img[0].tc.timers.real.vsec",
  "files.img[7].tfd.vsec",
])
  test(`${place} = 2^62 is converted to the longest time there is`, () => {
    const set = new DamagedSet("threads").set(place, 1n << 62n).open();
    const { checkpoint } = converted(set).document;
    const timers = [...checkpoint.tasks.flatMap((task) => task.timers), ...checkpoint.timerfds];
    const lefts = timers.map(({ left }) => left);
    assert.is(lefts.filter((left) => left === (1n << 63n) - 1n).length, 1);
  });

for (const [fixture, edit] of EDITS)
  test(`${edit} of ${fixture} does the same to both`, () => {
    const set = new DamagedSet(fixture).open();
    const { document: before } = converted(set);
    assert.ok(isChanged(before, assertSameEdit(set, before, edits(edit))), "the edit changes nothing");
  });

test("comm of a thread does the same to both", () => {
  const set = new DamagedSet("threads").open();
  const given = edits("comm 1005=worker");
  for (const document of [converted(edited(set, given)).document, edited(converted(set).document, given)])
    assert.equal(
      document.checkpoint.tasks.flatMap(({ threads }) => threads.map(({ comm }) => comm)),
      ["threads", "worker", "worker-b", "sleeper"],
    );
});

for (const [fixture, policies] of POLICIES)
  test(`policies ${JSON.stringify(policies)} of ${fixture} do the same to both`, () => {
    const set = new DamagedSet(fixture).open();
    const { document: before } = converted(set);
    const all = policies.map((policy) => ({ ...NO_POLICY, ...policy }));
    assert.ok(isChanged(before, assertSameEdit(set, before, [], all)), "the policies change nothing");
  });

for (const fixture of ["logger", "locks", "deleted", "sockets", "terminal", "threads", "tree", "container"])
  for (const edit of OF_EACH_DESCRIPTOR)
    test(`${edit} of each descriptor of ${fixture} does the same to both`, () => {
      const set = new DamagedSet(fixture).open();
      const before = converted(set).document;
      let changed = 0;
      for (const { pid, descriptors } of before.checkpoint.tasks)
        for (const { fd } of descriptors?.descriptors ?? []) {
          const given = edits(edit.replace("PID:FD", `${pid}:${fd}`));
          if (isRefused(before, given)) continue;
          if (isChanged(before, assertSameEdit(set, before, given))) changed++;
        }
      assert.ok(changed > 0);
    });

/** A stream has pages where they are first needed, and crimg does not move them. */
function isRefused(stream: Document, given: readonly Edit[]): boolean {
  try {
    planEdits(stream, given);
    return false;
  } catch (error) {
    assert.match((error as Error).message, /this memfd holds the pages of another one that stays/);
    return true;
  }
}

/** Edits a set and the stream that it is converted into. Gives the edited stream. */
function assertSameEdit(
  set: Document,
  stream: Document,
  given: readonly Edit[],
  policies: readonly Policy[] = [],
): Document {
  const ofStream = edited(stream, given, policies);
  const { differences, memory } = diffCheckpoints(converted(edited(set, given, policies)).document, ofStream);
  const text = given.map(({ kind, text: what }) => `${kind} ${what}`).join();
  assert.equal([differences, memory], [[], []], text);
  return ofStream;
}
/** What convert makes of each image as it was. */
const originals = new Map<string, { readonly losses: ReadonlySet<string>; readonly isSame: boolean }>();

function originalOf({ original, openOriginal }: MutantImage) {
  let found = originals.get(original);
  if (found === undefined) {
    const document = openOriginal();
    const { document: other, losses } = converted(document);
    found = { losses: new Set(losses), isSame: !isDifferent(meaningOf(document), meaningOf(other)) };
    document.close();
    originals.set(original, found);
  }
  return found;
}

function isDifferent(one: Meaning, other: Meaning): boolean {
  const isWorse = one.isValid && !other.isValid;
  // Tasks of a stream may share a record that a set has for each of them.
  const ids = ({ findings }: Meaning) => [...new Set(findings.map(({ id }) => id))].sort().join();
  return isWorse || ids(one) !== ids(other);
}

/** How a mutant and what convert makes of it differ without a loss that convert tells; undefined if they do not. */
function disagreement(mutant: MutantImage): string | undefined {
  const before = originalOf(mutant);
  if (!before.isSame) return undefined;
  const document = mutant.open();
  try {
    return disagreementOf(document, before.losses);
  } finally {
    document.close();
  }
}

function disagreementOf(document: Document, before: ReadonlySet<string>): string | undefined {
  const own = meaningOf(document);
  let other: Converted;
  try {
    other = converted(document);
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return own.isValid && error.code !== "UNSUPPORTED" ? `valid, and refused: ${error.message}` : undefined;
  }
  const meaning = meaningOf(other.document);
  if (!isDifferent(own, meaning) || other.losses.some((loss) => !before.has(loss))) return undefined;
  const text = (one: Meaning, two: Meaning) => `${one.isValid} [${meaningTexts(one, two).join()}]`;
  return `${text(own, meaning)} became ${text(meaning, own)}`;
}

for (const [family, mutants] of [
  ["set", setMutants],
  ["stream", streamMutants],
] as const)
  test(`a ${family} with an edge value, or an invalid one, in any field means what convert makes of it`, () => {
    const problems: string[] = [];
    for (const mutant of sample(mutants(), TIMES, SEED)) {
      const problem = disagreement(mutant);
      if (problem !== undefined) problems.push(`${mutant.name}: ${problem}`);
    }
    assert.equal(problems, []);
  });

test("all fixtures mean what convert makes of them", () => {
  const images = [...sample(setMutants(), 1, SEED), ...sample(streamMutants(), 1, SEED)];
  const names = new Set(images.filter((image) => !originalOf(image).isSame).map(({ original }) => original));
  assert.equal([...names], ["extended.ckpt"]);
});

function isChanged(before: Document, after: Document): boolean {
  const { differences, memory } = diffCheckpoints(before, after);
  return differences.length + memory.length > 0;
}

/** A file of the logger that --accept-file finds under the root, with another size. */
const CONFIGURATION = "/var/lib/crimg-demo/logger/etc/logger.conf";

/** An image as an edit leaves it. */
function edited(document: Document, given: readonly Edit[], policies: readonly Policy[] = []): Document {
  const root = freshDirectory("families");
  mkdirSync(join(root, dirname(CONFIGURATION)), { recursive: true });
  writeFileSync(join(root, CONFIGURATION), "one line more than at the checkpoint of the logger\n".repeat(3));
  const plan = planEdits(document, given, { root }, policies);
  if (document.family === "criu") {
    const { fileSet } = document.set;
    return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, plan.splices)));
  }
  const { source } = document.image;
  const spliced = new SplicedSource(source, [...plan.splices.values()].flat());
  return openStream(new MemorySource(Buffer.from(spliced.read(0, spliced.size)), "edited.ckpt"));
}

test.run();
