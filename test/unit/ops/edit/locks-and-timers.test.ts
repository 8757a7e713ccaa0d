import * as assert from "uvu/assert";
import { IMAGES } from "../../../../src/formats/criu/images.js";
import type { ItimerEntry } from "../../../../src/formats/criu/tables/timer.js";
import { SetBuilder } from "../../../helpers/build-set.js";
import { suite } from "../../../helpers/suite.js";
import { edits, planned } from "./planned.js";

const test = suite("src/ops/edit/kinds: lease, lock, lease-expiry and expiry");

const locks = (after: ReturnType<typeof planned>["after"]): string[] =>
  after
    .records(IMAGES.FILE_LOCKS)
    .map(({ value: { flag, type, fd, start, len } }) => `${flag} ${type} ${fd} ${start}+${len}`);

test("the locks of the fixture are these", () => {
  const { after } = planned("locks", edits("comm 1000=x"));
  assert.equal(locks(after).slice(7), ["8 0 8 0+0", "8 1 9 0+0", "8 6 10 0+0", "8 4 11 0+0", "8 6 12 0+0"]);
});

test("settling gives a breaking lease its target: none at all, or a read lease on a read-only descriptor", () => {
  const given = edits("set files.img[11].reg.flags=0", "lease 1000:10=settle", "lease 1000:11=settle");
  const { after } = planned("locks", given);
  const left = locks(after).slice(7);
  assert.not.ok(left.some((each) => each.startsWith("8 6 10")));
  assert.ok(left.includes("8 0 11 0+0"), left.join());
});

test("settling a lease that is not being broken changes nothing", () => {
  const { plan } = planned("locks", edits("lease 1000:8=settle"));
  assert.equal(plan.changes, []);
  assert.equal(plan.unmatched, []);
});

test("a read lease on a descriptor open for writing is refused with what can be done", () => {
  assert.throws(
    () => planned("locks", edits("lease 1000:11=settle")),
    /open for writing.*--lease 1000:11=drop/,
  );
});

test("leases are dropped and changed; locks of other kinds are not meant", () => {
  const { after } = planned("locks", edits("lease 1000:9=drop", "lease 1000:8=write"));
  assert.equal(locks(after).slice(7), ["8 1 8 0+0", "8 6 10 0+0", "8 4 11 0+0", "8 6 12 0+0"]);
  assert.is(planned("locks", edits("lease 1000:4=drop")).plan.unmatched.length, 1);
});

test("a lock is chosen by its range, or all of a descriptor", () => {
  const { after } = planned(
    "locks",
    edits("lock 1000:4:0-99=write", "lock 1000:4:4000-EOF=drop", "lock 1000:5=drop"),
  );
  assert.equal(locks(after).slice(0, 4), ["1 1 4 0+100", "1 1 4 100+100", "2 0 6 0+0", "2 1 7 0+0"]);
  assert.match(
    planned("locks", edits("lock 1000:4:0-98=drop")).plan.unmatched[0] ?? "",
    /exactly this range/,
  );
});

test("no image can hold the time of a breaking lease: one sentence says so and what can be done", () => {
  const { plan } = planned("locks", edits("lease-expiry 1000=+30s"));
  assert.equal(plan.changes, []);
  assert.is(plan.restore.leaseBreakSeconds, 75);
  assert.is(plan.notes.length, 1);
  assert.match(plan.notes[0] ?? "", /CRIU stores no remaining time.*--lease 1000:10=settle.*75 s/);
  for (const [given, seconds] of [
    ["=10s", 10],
    ["-44s", 1],
    ["-60s", 1],
    ["x2", 90],
    ["1000:11=5s", 5],
  ] as const)
    assert.is(
      planned("locks", edits(`lease-expiry ${given}`)).plan.restore.leaseBreakSeconds,
      seconds,
      given,
    );
  assert.is(planned("logger", edits("lease-expiry +30s")).plan.unmatched.length, 1);
});

const timers = (after: ReturnType<typeof planned>["after"]) =>
  after.records(IMAGES.CORE, 1000)[0]?.value.tc?.timers;
const nanoseconds = (sec: bigint, rest: bigint, unit: bigint): bigint => sec * 1_000_000_000n + rest * unit;

test("all timers get the same time more, counted from the checkpoint; what is not armed stays so", () => {
  const before = planned("threads", edits("comm 1000=x")).after;
  const { after, plan } = planned("threads", edits("expiry all=+1500ms"), { restartTakes: 1_000_000_000n });
  const shift = 1_500_000_000n;
  for (const name of ["real", "prof"] as const) {
    const [old, fresh] = [timers(before)?.[name], timers(after)?.[name]] as ItimerEntry[];
    assert.is(
      nanoseconds(fresh?.vsec ?? 0n, fresh?.vusec ?? 0n, 1000n),
      nanoseconds(old?.vsec ?? 0n, old?.vusec ?? 0n, 1000n) + shift,
    );
    assert.is(fresh?.isec, old?.isec);
  }
  assert.equal(timers(after)?.virt, timers(before)?.virt);
  for (const [i, timer] of (timers(after)?.posix ?? []).entries()) {
    const old = timers(before)?.posix[i];
    assert.is(
      nanoseconds(timer.vsec, timer.vnsec, 1n),
      nanoseconds(old?.vsec ?? 0n, old?.vnsec ?? 0n, 1n) + shift,
    );
  }
  assert.equal(plan.left, []);
  assert.ok(plan.due.every(({ before, after: due }) => due - before === shift));
  assert.match(plan.notes.join("\n"), /falls due .*the restart takes 1 s/);
  const { left } = planned("threads", edits("expiry virtual=+1s")).plan;
  assert.equal(
    left.map(({ field, why }) => [field, why]),
    [["tc.timers.virt.vsec", "a timer that is not armed"]],
  );
});

const tfds = (after: ReturnType<typeof planned>["after"]): string[] =>
  after
    .records(IMAGES.FILES)
    .flatMap(({ value }) => (value.tfd ? [`${value.tfd.vsec}.${value.tfd.vnsec}`] : []));

test("a timerfd is chosen by task and descriptor, a POSIX timer by its id", () => {
  const { after } = planned("threads", edits("expiry timerfd[1000:6]=90s", "expiry posix[1000:1]=10s"));
  assert.is(tfds(after)[1], "90.0");
  assert.is.not(tfds(after)[0], "90.0");
  assert.equal(
    timers(after)?.posix.map(({ it_id, vsec }) => `${it_id} ${vsec}`),
    ["0 0", "1 10"],
  );
});

test("a time never falls below the least that is armed, and that is said", () => {
  const { after, plan } = planned("threads", edits("expiry all=-10h"));
  assert.equal([timers(after)?.real.vsec, timers(after)?.real.vusec], [0n, 1n]);
  assert.equal(
    timers(after)?.posix.map(({ vsec, vnsec }) => [vsec, vnsec]),
    [
      [0n, 1n],
      [0n, 1n],
    ],
  );
  assert.match(plan.notes.join(), /gets the least there is and falls due at once/);
});

test("a timer with an interval and nothing left counts from the interval, as the restore does", () => {
  const set = new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 1 }])
    .image(IMAGES.PSTREE, undefined, [{ pid: 7, ppid: 0, pgid: 7, sid: 7, threads: [7] }])
    .image(IMAGES.ITIMERS, 7, [
      { isec: 5n, iusec: 0n, vsec: 0n, vusec: 0n },
      { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n },
      { isec: 0n, iusec: 0n, vsec: 2n, vusec: 0n },
    ]);
  const { after } = planned(set.document(), edits("expiry real[7]=+1s", "expiry prof=x0.5"));
  assert.equal(
    after.records(IMAGES.ITIMERS, 7).map(({ value }) => value.vsec),
    [6n, 0n, 1n],
  );
});

test("more than fs.lease-break-time holds is refused, however many digits it has", () => {
  for (const time of ["2147483648s", "9".repeat(400)])
    assert.throws(
      () => planned("locks", edits(`lease-expiry 1000==${time}`)),
      /invalid lease-break-time of \d+ s \(expected at most 2147483647\)/,
    );
});

test("more than a timer of Linux holds is refused", () => {
  assert.throws(() => planned("threads", edits("expiry real=200000d")), /the maximum of a timer/);
  assert.throws(() => planned("threads", edits("expiry prof=x99999999")), /the maximum of a timer/);
});

for (const bad of [
  "expiry cpu=+1s",
  "expiry real",
  "expiry real=",
  "expiry real[x]=1s",
  "lease 1000:8=up",
  "lock 1000:4:9-1=drop",
]) {
  test(`${bad} is a usage error`, () => {
    assert.throws(
      () => planned("locks", edits(bad)),
      (error: unknown) => (error as { code: string }).code === "USAGE",
    );
  });
}

test.run();
