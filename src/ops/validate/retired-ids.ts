/** Rules of earlier releases, and those that took them in. */
const RETIRED: Readonly<Record<string, readonly string[]>> = {
  CREDS_CAPABILITIES: ["CREDS_CAPABILITIES", "CREDS_WORDS"],
  CRED_CAPABILITIES: ["CREDS_CAPABILITIES"],
  EVENTFD_COUNT: ["FIELD_VALUE"],
  LOCK_SPAN: ["LOCK_RANGE"],
  LOCK_VALUES: ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"],
  PTY_DISCIPLINE: ["FIELD_VALUE"],
  SIGNAL_QUEUE: ["SIGNAL_QUEUE", "SIGPENDING_LENGTH"],
  SIGNAL_LIMITS: ["RLIMIT_RANGE"],
  SIGNAL_TIMERS: ["FIELD_VALUE"],
  TASK_DEATH_SIGNAL: ["FIELD_VALUE"],
  TIMERFD_TIMES: ["FIELD_VALUE"],
  TIMER_RANGE: ["FIELD_VALUE"],
  TIMER_VALUES: ["FIELD_VALUE", "TIMER_DUPLICATE"],
};

/** The rules that an id stands for today. */
export function currentIds(id: string): readonly string[] {
  return Object.hasOwn(RETIRED, id) ? (RETIRED[id] as readonly string[]) : [id];
}
