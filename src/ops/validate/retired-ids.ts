/** Rules of earlier releases, and those that took them in. */
const RETIRED: Readonly<Record<string, readonly string[]>> = {
  EVENTFD_COUNT: ["FIELD_VALUE"],
  INET_PORT: ["FIELD_VALUE"],
  LOCK_SPAN: ["LOCK_RANGE"],
  LOCK_VALUES: ["LOCK_KIND", "LOCK_TYPE", "LEASE_REST"],
  NETLINK_VALUES: ["FIELD_VALUE"],
  PACKET_VALUES: ["FIELD_VALUE"],
  PTY_DISCIPLINE: ["FIELD_VALUE"],
  SIGNAL_TIMERS: ["FIELD_VALUE"],
  SOCKET_EXTRA_VALUES: ["FIELD_VALUE", "SOCKET_SWITCHES"],
  SOCKET_VALUES: ["FIELD_VALUE"],
  TASK_DEATH_SIGNAL: ["FIELD_VALUE"],
  TCP_EXTRA_VALUES: ["FIELD_VALUE", "SOCKET_FAMILY"],
  TIMERFD_TIMES: ["FIELD_VALUE"],
  TIMER_RANGE: ["FIELD_VALUE"],
  TIMER_VALUES: ["FIELD_VALUE", "TIMER_DUPLICATE"],
  UNIX_INODE: ["SOCKET_INODE"],
};

/** The rules that an id stands for today. */
export function currentIds(id: string): readonly string[] {
  return Object.hasOwn(RETIRED, id) ? (RETIRED[id] as readonly string[]) : [id];
}
