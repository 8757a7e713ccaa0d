import * as assert from "uvu/assert";
import { RECORDS } from "../../../../../src/formats/linux-cr/records.js";
import { suite } from "../../../../helpers/suite.js";
import { type PlannedStream, plannedStream } from "./planned-stream.js";

const test = suite("--lease-expiry and --expiry in streams");
const SECOND = 1_000_000_000n;
const LOG = "/var/log/app.log";

function left({ all }: PlannedStream): number[] {
  return all(RECORDS.FILE_LOCK)
    .filter(({ fl_flags, fl_type }) => fl_flags === 32 && (fl_type & 16) !== 0)
    .map(({ fl_rem_lease }) => fl_rem_lease);
}

for (const [text, after] of [
  ["+30s", 60],
  ["all=+1m", 90],
  ["1:0=-10s", 20],
  ["7:0=-10s", 20],
  ["1=x2", 60],
  ["1:0=x0.5", 15],
  [`${LOG}==45s`, 45],
  [`${LOG}=-1h`, 0],
  ["=1500ms", 2],
  ["all==0.2s", 1],
  ["+100ms", 31],
  ["-100ms", 30],
] as const)
  test(`--lease-expiry ${text}: 30 s become ${after} s`, () => {
    const planned = plannedStream("rich", [`lease-expiry ${text}`]);
    assert.equal(left(planned), [after]);
    assert.equal(
      planned.plan.due.map(({ what, before, after: due }) => [what, before, due]),
      [[`lease 1:0 (${LOG})`, 30n * SECOND, BigInt(after) * SECOND]],
    );
  });

test("a path may hold = and digits", () => {
  const { plan } = plannedStream("rich", ["lease-expiry /srv/a=1/x=+30s"]);
  assert.match(plan.unmatched[0] as string, /no lease of \/srv\/a=1\/x was being broken/);
});

test("only leases that were being broken have a time: those that were not are told, or refused when they are named", () => {
  const { plan, ...planned } = plannedStream("locks", ["lease-expiry +15s"]);
  assert.equal(left({ plan, ...planned }), [60, 60, 60]);
  assert.is(plan.left.filter(({ why }) => why.includes("not being broken")).length, 2);
  assert.throws(
    () => plannedStream("locks", ["lease-expiry 1000:8=+15s"]),
    /lease of 1000:8 .* was not being broken at the checkpoint/,
  );
});

test("a lease has 31 bits of seconds", () => {
  assert.throws(() => plannedStream("rich", ["lease-expiry =30000d"]), /expected at most 2147483647 s/);
});

for (const [takes, says, warns] of [
  [10n, /60 s after the restart began; the restart takes 10 s: 50 s are left then/, false],
  [60n, /the restart takes 60 s: it will have fallen due/, true],
] as const)
  test(`a restart of ${takes} s: when the lease falls due`, () => {
    const { plan } = plannedStream("rich", ["lease-expiry +30s"], { restartTakes: takes * SECOND });
    assert.match(plan.notes.join("\n"), /30 s before, 60 s now/);
    assert.match(plan.notes.join("\n"), says);
    assert.is(plan.warnings.length, warns ? 1 : 0);
  });

test("--lease settles, changes and drops leases; counts follow", () => {
  const before = plannedStream("locks", ["comm 1000=x"]).all(RECORDS.FILE_LOCK);
  const settled = plannedStream("locks", ["lease 1000:12=settle", "lease 1000:8=settle"]);
  assert.is(settled.all(RECORDS.FILE_LOCK).length, before.length - 1, "what becomes nothing is dropped");
  assert.throws(() => plannedStream("locks", ["lease 1000:11=settle"]), /open for writing/);
  const kept = plannedStream("rich", ["lease 1:0=write"]).all(RECORDS.FILE_LOCK)[1];
  assert.equal([kept?.fl_type, kept?.fl_type_prev, kept?.fl_rem_lease], [1, 1, 0]);
  const dropped = plannedStream("locks", ["lease 1000:12=drop", "lock 1000:4=drop"]);
  assert.is(dropped.all(RECORDS.FILE_LOCK).length, before.length - 4);
  assert.is(
    dropped.all(RECORDS.FILE_LOCKS).reduce((sum, { nr_locks }) => sum + nr_locks, 0),
    before.length - 4,
  );
  assert.throws(() => plannedStream("rich", ["lease 1:0=read"]), /open for writing/);
});

test("--lock finds a range as /proc/locks has it", () => {
  const { changes } = plannedStream("locks", ["lock 1000:4:100-199=read"]);
  assert.equal(changes, ["FILE_LOCK.fl_type: 1 -> 0", "FILE_LOCK.fl_type_prev: 1 -> 0"]);
  assert.is(plannedStream("locks", ["lock 1000:4:4000-EOF=read"]).changes.length, 2);
  assert.is(plannedStream("locks", ["lock 1000:4:100-198=read"]).plan.unmatched.length, 1);
});

test("--expiry reaches every kind of timer, and calls that wait, from one moment", () => {
  const { plan } = plannedStream("threads", ["expiry all=+30s"]);
  assert.ok(plan.due.every(({ before, after }) => after - before === 30n * SECOND));
  const kinds = new Set(plan.due.map(({ what }) => what.split(" ")[0]));
  assert.equal([...kinds].sort(), ["posix", "prof", "real", "timerfd"]);
  const calls = plannedStream("rich", ["expiry sleep=x2"]);
  assert.equal(
    calls.all(RECORDS.RESTART_BLOCK).map(({ arg_4 }) => arg_4),
    [3n * SECOND, 3n * SECOND, 3n * SECOND],
  );
});

test("--expiry picks by process or thread, and by id", () => {
  assert.is(plannedStream("rich", ["expiry sleep[8]=x2"]).changes.length, 1);
  assert.is(plannedStream("rich", ["expiry all[8]=x2"]).changes.length, 1);
  assert.is(plannedStream("threads", ["expiry posix[1000:1]==5s"]).changes.length, 1);
  assert.is(plannedStream("threads", ["expiry timerfd[1000:5]==5s"]).changes.length, 1);
  assert.is(plannedStream("threads", ["expiry timerfd[1000:9]==5s"]).plan.unmatched.length, 1);
  assert.is(plannedStream("rich", ["expiry futex=+1s"]).plan.unmatched.length, 1);
});

test("a timer never gets 0, which would disarm it; a call may be due at once", () => {
  const { all, plan } = plannedStream("rich", ["expiry all=-1h"]);
  assert.is(all(RECORDS.SIGNAL)[0]?.it_real_value, 1000n);
  assert.ok(all(RECORDS.RESTART_BLOCK).every(({ arg_4 }) => arg_4 === 0n));
  assert.match(plan.notes.join("\n"), /real of 1 would have -3598 s left/);
});

test("idle timers are not told of by all, but by their name", () => {
  assert.is(plannedStream("rich", ["expiry all=+1s"]).plan.left.length, 0);
  const { plan } = plannedStream("rich", ["expiry virtual=+1s"]);
  assert.equal(
    plan.left.map(({ why }) => why),
    ["a timer that is not armed"],
  );
  assert.is(plan.unmatched.length, 1);
});

test.run();
