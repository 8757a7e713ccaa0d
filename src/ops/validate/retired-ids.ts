/** Rules of earlier releases, and those that took them in. */
const RETIRED: Readonly<Record<string, readonly string[]>> = {
  EVENTFD_COUNT: ["FIELD_VALUE"],
  IPC_NS_EXTRA_VALUES: ["FIELD_VALUE"],
  LOCK_SPAN: ["LOCK_RANGE"],
  LOCK_VALUES: ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"],
  MSG_BYTES: ["MSG_BYTES", "MSG_TYPE"],
  PTY_DISCIPLINE: ["FIELD_VALUE"],
  SHM_VALUES: ["FIELD_VALUE"],
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
