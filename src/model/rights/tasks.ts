import { flagNames } from "../../io/enums.js";
import { capabilitiesIn, SECUREBITS } from "../../linux/capabilities.js";
import { SCHED_RESET_ON_FORK } from "../../linux/sched.js";
import { CLOCK_BOOTTIME_ALARM, CLOCK_REALTIME_ALARM } from "../../linux/time.js";
import type { Task, Thread } from "../checkpoint.js";
import type { Credentials } from "../credentials.js";
import type { IdRange, Surroundings } from "../surroundings.js";
import type { Bearer } from "./bearer.js";
import { hardLimits } from "./limits.js";
import type { Right } from "./right.js";

/** SECBIT_KEEP_CAPS and, since Linux 6.14, SECBIT_EXEC_RESTRICT_FILE, SECBIT_EXEC_DENY_INTERACTIVE and their locks. */
const FREE_SECUREBITS = 0xf10;
/** SCHED_FIFO, SCHED_RR and SCHED_DEADLINE of sched(7). */
const REAL_TIME: Readonly<Record<number, string>> = { 1: "SCHED_FIFO", 2: "SCHED_RR", 6: "SCHED_DEADLINE" };
const NOT_SET = 0xffff_ffff;

type Asked = Omit<Right, "pid">;

/** What a task and its threads ask for. */
export function* taskRights(task: Task, owner: Bearer, surroundings: Surroundings): Generator<Right> {
  const { pid, origin } = task;
  for (const thread of task.threads)
    for (const right of threadRights(thread, owner, surroundings)) yield { ...right, pid: thread.tid };
  for (const right of processRights(task, owner, hardLimits())) yield { origin, ...right, pid };
}

function* threadRights(thread: Thread, owner: Bearer, surroundings: Surroundings): Generator<Asked> {
  const { credentials, seccomp, schedule, origin } = thread;
  if (credentials !== undefined) {
    yield* idRights(credentials, owner, surroundings);
    yield* powerRights(credentials, surroundings);
    if (seccomp === "filter" && !credentials.noNewPrivs)
      yield {
        name: "no-new-privs",
        asked: "a seccomp filter without no_new_privs",
        had: "a filter with no_new_privs",
        origin: credentials.origin,
      };
  }
  if (schedule === undefined) return;
  const policy = REAL_TIME[schedule.policy & ~SCHED_RESET_ON_FORK];
  if (policy !== undefined)
    yield { name: "sched", asked: `${policy}, priority ${schedule.priority}`, had: "SCHED_OTHER", origin };
  if (schedule.nice < 0)
    yield { name: "sched", asked: `nice ${schedule.nice}`, had: "nice 0 or above", origin };
}

/** User and group ids, as the host sees them. */
function* idRights(
  credentials: Credentials,
  owner: Bearer,
  { userNamespace }: Surroundings,
): Generator<Asked> {
  const { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, groups, origin } = credentials;
  for (const inside of new Set([uid, euid, suid, fsuid])) {
    const id = outsideOf(inside, userNamespace?.uids);
    if (id !== owner.uid) yield { name: "uid", asked: `uid ${id}`, had: ownUid(owner), id, origin };
  }
  for (const inside of new Set([gid, egid, sgid, fsgid, ...groups])) {
    const id = outsideOf(inside, userNamespace?.gids);
    if (!owner.gids.has(id)) yield { name: "gid", asked: `gid ${id}`, had: ownGids(owner), id, origin };
  }
}

/** Capabilities count for the namespace of the task; in one that is made with it, any user has them. */
function* powerRights(credentials: Credentials, { userNamespace }: Surroundings): Generator<Asked> {
  const { permitted, effective, inheritable, ambient, securebits, lsmProfile, origin } = credentials;
  const had = "none";
  const held = permitted | effective | inheritable | ambient;
  if (held !== 0n && userNamespace === undefined)
    yield { name: "caps", asked: capabilitiesText(held), had, origin };
  const bits = securebits & ~FREE_SECUREBITS;
  if (bits !== 0 && userNamespace === undefined)
    yield { name: "securebits", asked: `securebits ${flagNames(SECUREBITS, bits).join(" ")}`, had, origin };
  if (lsmProfile !== undefined && !isUnconfined(lsmProfile))
    yield { name: "lsm", asked: `security label ${lsmProfile}`, had: "unconfined", origin };
}

/** Names of all capabilities up to CAP_CHECKPOINT_RESTORE would fill the screen. */
function capabilitiesText(held: bigint): string {
  const names = capabilitiesIn(held);
  return names.length > 30 ? `${names.length} capabilities` : names.join(" ");
}

/** AppArmor's and SELinux's words for a task that is not confined, and an empty label. */
function isUnconfined(label: string): boolean {
  return /^(unconfined( \(.*\))?)?[\n\0]*$/.test(label) || /^[^:]*:[^:]*:unconfined_t(:|$)/.test(label);
}

function outsideOf(id: number, ranges: readonly IdRange[] | undefined): number {
  const range = ranges?.find(({ inside, count }) => id >= inside && id < inside + count);
  return range === undefined ? id : range.outside + (id - range.inside);
}

function* processRights(
  { root, attributes, limits, timers }: Task,
  owner: Bearer,
  hardest: ReturnType<typeof hardLimits>,
): Generator<Asked> {
  if (root?.path !== undefined && root.path !== "/")
    yield { name: "chroot", asked: `the root directory ${root.path}`, had: "/", path: root.path };
  const { oomScoreAdj, loginUid } = attributes;
  if (oomScoreAdj !== undefined && oomScoreAdj < 0)
    yield { name: "oom", asked: `oom_score_adj ${oomScoreAdj}`, had: "0 or above" };
  if (loginUid !== undefined && loginUid !== NOT_SET && loginUid !== owner.uid)
    yield { name: "loginuid", asked: `loginuid ${loginUid}`, had: ownUid(owner), id: loginUid };
  for (const [number, [name, most]] of hardest.entries()) {
    const hard = limits[number]?.hard;
    if (hard !== undefined && hard > most)
      yield { name: "rlimit", asked: `${name} above ${most}`, had: `at most ${most}` };
  }
  for (const { clock, origin } of timers)
    if (isAlarm(clock))
      yield { name: "object", asked: "a timer that wakes the machine", had: "none", origin };
}

/** CLOCK_REALTIME_ALARM and CLOCK_BOOTTIME_ALARM take CAP_WAKE_ALARM, timer_create(2). */
export function isAlarm(clock: number | undefined): boolean {
  return clock === CLOCK_REALTIME_ALARM || clock === CLOCK_BOOTTIME_ALARM;
}

/** What a person reads of the owner's own ids. */
export function ownUid({ uid }: Bearer): string {
  return uid === undefined ? "no uid that is known" : `uid ${uid}`;
}

function ownGids({ gids }: Bearer): string {
  return gids.size === 0 ? "no group that is known" : `gid ${[...gids].join(", ")}`;
}
