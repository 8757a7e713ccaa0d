/** Rules of earlier releases, and those that took them in. */
const RETIRED: Readonly<Record<string, readonly string[]>> = {
  AREA_EXTRA_FLAGS: ["FIELD_VALUE"],
  AREA_FLAGS: ["VMA_FLAGS"],
  AREA_MEMORY: ["VMA_CONTENTS"],
  AREA_ORDER: ["VMA_RANGE", "VMA_OVERLAP"],
  AREA_TYPE: ["VMA_TYPE", "FIELD_VALUE"],
  AREA_VDSO: ["VMA_VDSO"],
  AREA_VDSO_ONCE: ["VMA_VDSO_ONCE"],
  EVENTFD_COUNT: ["FIELD_VALUE"],
  FS_UMASK: ["FIELD_VALUE"],
  IPC_NS_EXTRA_VALUES: ["FIELD_VALUE"],
  LOCK_SPAN: ["LOCK_RANGE"],
  LOCK_VALUES: ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"],
  MM_BOUNDS: ["MM_RANGES", "FIELD_VALUE"],
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
