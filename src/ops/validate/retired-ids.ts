/** Rules of earlier releases, and those that took them in. */
const RETIRED: Readonly<Record<string, readonly string[]>> = {
  EVENTFD_COUNT: ["FIELD_VALUE"],
  FD_NUMBER: ["FD_DUPLICATE", "FD_ORDER", "FIELD_VALUE"],
  FILE_KIND: ["FIELD_VALUE"],
  FILE_OFFSET: ["FILE_POSITION"],
  FILE_OPEN_FLAGS: ["FILE_FLAGS"],
  IDENTITY_VALUES: ["FIELD_VALUE", "FILE_MODE_TYPE"],
  LOCK_SPAN: ["LOCK_RANGE"],
  LOCK_VALUES: ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"],
  MEMFD_VALUES: ["FIELD_VALUE"],
  NAME_ABSOLUTE: ["FILE_PATH"],
  NAME_FORM: ["FILE_PATH_FORM", "FILE_PATH_PARENT"],
  PIPE_LENGTH: ["PIPE_CONTENTS"],
  PTY_DISCIPLINE: ["FIELD_VALUE"],
  SIGNAL_TIMERS: ["FIELD_VALUE"],
  TASK_DEATH_SIGNAL: ["FIELD_VALUE"],
  TIMERFD_TIMES: ["FIELD_VALUE"],
  TIMER_RANGE: ["FIELD_VALUE"],
  TIMER_VALUES: ["FIELD_VALUE", "TIMER_DUPLICATE"],
  UNLINKED_CONTENTS: ["GHOST_CHUNKS"],
  UNLINKED_PATH: ["DELETED_PATH", "FILE_PATH", "FILE_PATH_PARENT"],
  WATCH_NUMBER: ["FIELD_VALUE", "INOTIFY_WATCHES"],
};

/** The rules that an id stands for today. */
export function currentIds(id: string): readonly string[] {
  return Object.hasOwn(RETIRED, id) ? (RETIRED[id] as readonly string[]) : [id];
}
