import * as assert from "uvu/assert";
import { type Verdict, validate } from "../../../../src/ops/validate/validate.js";
import { suite } from "../../../helpers/suite.js";
import { DamagedSet } from "./damaged-set.js";
import { DamagedStream, R } from "./damaged-stream.js";

const test = suite("field values");
const CORE = "core-1000.img[0]";
const TIMER = `${CORE}.tc.timers.posix[0]`;

/** Values that the kernel refuses, or that a restore loses: by the field of a set and that of a stream. */
const REFUSED: readonly (readonly [
  what: string,
  inSet: (set: DamagedSet) => DamagedSet,
  inStream: (stream: DamagedStream) => DamagedStream,
])[] = [
  ...[45, -99, 20, -21].map(
    (nice) =>
      [
        `nice ${nice}`,
        (s: DamagedSet) => s.set(`${CORE}.thread_core.sched_nice`, nice),
        (s: DamagedStream) => s.set(R.TASK_EXTRA, { flags: 4, sched_nice: nice }),
      ] as const,
  ),
  [
    "policy 77",
    (s) => s.set(`${CORE}.thread_core.sched_policy`, 77),
    (s) => s.set(R.TASK_EXTRA, { flags: 4, sched_policy: 77 }),
  ],
  [
    "a priority without a real-time policy",
    (s) => s.set(`${CORE}.thread_core.sched_prio`, 7),
    (s) => s.set(R.TASK_EXTRA, { flags: 4, sched_priority: 7 }),
  ],
  [
    "SCHED_DEADLINE, which needs times",
    (s) => s.set(`${CORE}.thread_core.sched_policy`, 6),
    (s) => s.set(R.TASK_EXTRA, { flags: 4, sched_policy: 6 }),
  ],
  [
    "no priority with a real-time policy",
    (s) => s.set(`${CORE}.thread_core.sched_policy`, 1).set(`${CORE}.thread_core.sched_prio`, 0),
    (s) => s.set(R.TASK_EXTRA, { flags: 4, sched_policy: 1 }),
  ],
  [
    "signal 99 at the parent's death",
    (s) => s.set(`${CORE}.thread_core.pdeath_sig`, 99),
    (s) => s.set(R.TASK, { pdeath_signal: 99 }),
  ],
  [
    "oom_score_adj 5000",
    (s) => s.set(`${CORE}.tc.oom_score_adj`, 5000),
    (s) => s.set(R.TASK_EXTRA, { flags: 1, oom_score_adj: 5000 }),
  ],
  [
    "an rseq area of 4 bytes",
    (s) => s.set(`${CORE}.thread_core.rseq_entry.rseq_abi_size`, 4),
    (s) => s.set(R.RSEQ, { abi_size: 4 }),
  ],
  [
    "a robust list of 12 bytes",
    (s) => s.set(`${CORE}.thread_core.futex_rla_len`, 12),
    (s) => s.set(R.TASK, { robust_futex_head_len: 12 }),
  ],
  [
    "a signal stack of 16 bytes",
    (s) => s.set(`${CORE}.thread_core.sas`, { ss_sp: 0x1000n, ss_size: 16n, ss_flags: 0 }),
    (s) => s.set(R.TASK, { sas_ss_sp: 0x1000n, sas_ss_size: 16 }),
  ],
  [
    "unknown securebits",
    (s) => s.set(`${CORE}.thread_core.creds.secbits`, 0x4000),
    (s) =>
      s.set(R.CRED, {
        cap_s: { ...s.image.value(s.find(R.CRED), R.CRED).cap_s, securebits: 0x4000 },
      }),
  ],
  ["signal 99 of a timer", (s) => s.set(`${TIMER}.si_signo`, 99), (s) => s.set(R.POSIX_TIMER, { signo: 99 })],
  [
    "notification 77 of a timer",
    (s) => s.set(`${TIMER}.it_sigev_notify`, 77),
    (s) => s.set(R.POSIX_TIMER, { sigev_notify: 77 }),
  ],
  [
    "clock 55 of a timer",
    (s) => s.set(`${TIMER}.clock_id`, 55),
    (s) => s.set(R.POSIX_TIMER, { clock_id: 55 }),
  ],
  [
    "the raw clock of a timer",
    (s) => s.set(`${TIMER}.clock_id`, 4),
    (s) => s.set(R.POSIX_TIMER, { clock_id: 4 }),
  ],
];

/** What the kernel takes, though it looks odd. */
const TAKEN: readonly (readonly [what: string, inSet: (set: DamagedSet) => DamagedSet])[] = [
  ["a processor clock of a task", (s) => s.set(`${TIMER}.clock_id`, 0xffff_fffa)],
  [
    "any signal of a timer that tells nobody",
    (s) => s.set(`${TIMER}.it_sigev_notify`, 1).set(`${TIMER}.si_signo`, 0),
  ],
  [
    "SCHED_RESET_ON_FORK, which criu stores with the policy",
    (s) => s.set(`${CORE}.thread_core.sched_policy`, 0x4000_0001).set(`${CORE}.thread_core.sched_prio`, 7),
  ],
  ["CLOCK_TAI of a timer", (s) => s.set(`${TIMER}.clock_id`, 11)],
  ["the alarm clock of a timer", (s) => s.set(`${TIMER}.clock_id`, 9)],
  [
    "the robust list of 32-bit code",
    (s) => s.set(`${CORE}.thread_info.gpregs.mode`, 2).set(`${CORE}.thread_core.futex_rla_len`, 12),
  ],
  [
    "a signal stack of 0 bytes",
    (s) => s.set(`${CORE}.thread_core.sas`, { ss_sp: 0n, ss_size: 0n, ss_flags: 0 }),
  ],
  ["no robust list", (s) => s.set(`${CORE}.thread_core.futex_rla_len`, 0)],
  ["the newest securebits", (s) => s.set(`${CORE}.thread_core.creds.secbits`, 0xfff)],
];

const isRefused = (verdict: Verdict, before: Verdict): boolean =>
  !verdict.valid && count(verdict) > count(before);

function count({ findings }: Verdict): number {
  return findings.filter(({ id }) => id === "FIELD_VALUE").length;
}

function check(damaged: DamagedSet | DamagedStream): Verdict {
  const document = damaged.open();
  const verdict = validate(document);
  document.close();
  return verdict;
}

for (const [what, inSet, inStream] of REFUSED)
  test(`${what} is refused in both families`, () => {
    assert.ok(isRefused(check(inSet(new DamagedSet("threads"))), check(new DamagedSet("threads"))), "set");
    assert.ok(
      isRefused(check(inStream(new DamagedStream("threads"))), check(new DamagedStream("threads"))),
      "stream",
    );
  });

for (const [what, inSet] of TAKEN)
  test(`${what} is no finding`, () => {
    assert.is(count(check(inSet(new DamagedSet("threads")))), count(check(new DamagedSet("threads"))));
  });

test("the fixtures have no value that the kernel refuses", () => {
  const sets = ["container", "logger", "locks", "deleted", "sockets", "terminal", "threads", "tree"] as const;
  for (const name of sets) {
    assert.is(count(check(new DamagedSet(name))), 0, name);
    assert.is(count(check(new DamagedStream(name))), 0, name);
  }
});

test("the counter of an eventfd and the window of a terminal have ends", () => {
  const stream = new DamagedStream("rich").set(R.FILE, { count: (1n << 64n) - 1n }, (f) => f.f_type === 7);
  assert.is(count(check(stream)) - count(check(new DamagedStream("rich"))), 1);
  const record = [
    ...check(new DamagedSet("terminal").set("tty-info.img[0].winsize.ws_row", 99_999_999)).findings,
  ];
  assert.ok(record.some(({ id, at }) => id === "FIELD_VALUE" && at.field === "winsize.ws_row"));
});

test("a retired id ignores what took the rule in", () => {
  const document = new DamagedSet("threads").set(`${CORE}.tc.timers.real.iusec`, 1_000_000n).open();
  assert.is(count(validate(document)), 1);
  assert.is(count(validate(document, { ignore: ["TIMER_RANGE"] })), 0);
  assert.is(count(validate(document, { only: ["TIMER_RANGE"] })), 1);
  document.close();
});

test.run();
