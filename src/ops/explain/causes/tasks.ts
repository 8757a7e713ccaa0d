import type { Cause, MendTemplate } from "../cause.js";

const SHELL_JOB: MendTemplate = {
  command: "criu dump -t {root} -D NEWDIR --shell-job",
  effect: "dump it as a shell job, which must also be restored from a terminal",
};

const VALIDATE: MendTemplate = {
  command: "crimg validate {image} --root / --host",
  effect: "validate the set",
};
const LOG: MendTemplate = {
  command: "{restore} --log restore.log",
  effect: "save the complete log",
};

/** Tasks, sessions, terminals, locks. */
export const TASK_CAUSES: readonly Cause[] = [
  {
    id: "PID_TAKEN",
    match: /^Can't fork for (?<task>\d+): File exists/,
    during: "restore",
    what: "pid {task} is in use",
    why: "a task is restored with its old pid; after a checkpoint or a failed restore the old task is a zombie for about a second, until its parent waits for it",
    mends: [
      { command: "ps -o pid,ppid,stat,args -p {task}", effect: "show the process that uses it" },
      { command: "{restore}", effect: "try again, if it was a zombie" },
    ],
  },
  {
    id: "NOT_ROOT",
    match: /^(?:CRIU needs to have the CAP_SYS_ADMIN|You need to be root)/,
    what: "criu was not started as root",
    why: "it needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE",
    mends: [{ effect: "run the same command as root" }],
  },
  {
    id: "CAPABILITIES",
    match:
      /(?:Unable to (?:restore|drop|raise ambient|set) capabilit|Unable to set (?:real, effective|fsuid|fsgid|PR_SET_SECUREBITS|SECURE_NO_SETUID_FIXUP)|Can't setgroups|Setting loginuid|^cap[gs]et: )/,
    during: "restore",
    what: "criu may not give task {pid} the user, the groups or the capabilities that it had",
    why: "a process can pass on only capabilities of its own bounding set, which a container, a service or a user namespace restricts",
    mends: [
      { command: "crimg show {image} creds", effect: "show what the tasks had" },
      { command: "capsh --print", effect: "show what is permitted here" },
      { effect: "run the restore as root with all capabilities" },
    ],
  },
  {
    id: "NEEDS_PID_NAMESPACE",
    match: /This process tree can only be restored in a new pid namespace/,
    during: "restore",
    what: "a pid of the process tree has another meaning here",
    why: "it is from another pid namespace",
    mends: [
      {
        command: "unshare --pid --fork --mount-proc {restore}",
        effect: "restore in a new pid namespace",
      },
    ],
  },
  {
    id: "PID_MAX",
    match: /Can't set kernel pid_max=(?<pid_max>\d+)/,
    during: "restore",
    what: "the process tree has pids up to {pid_max}, above the limit of this kernel",
    why: "kernel.pid_max is lower, and criu is not permitted to raise it",
    mends: [{ effect: "sysctl kernel.pid_max={pid_max}" }],
  },
  {
    id: "SESSION_OUTSIDE",
    match: /^The root process (?<task>\d+) is not a session leader/,
    what: "the session leader of task {task} is not in the process tree",
    why: "criu restores only complete sessions, unless it is a shell job",
    mends: [SHELL_JOB, { command: "setsid PROGRAM", effect: "start the program in a new session next time" }],
  },
  {
    id: "SESSION_OUTSIDE",
    match: /A session leader of (?:zombie process )?(?<task>\d+)\(\d+\) is outside of its pid namespace/,
    during: "dump",
    what: "the session leader of task {task} is outside of its pid namespace",
    why: "the session has no id in the namespace",
    mends: [
      {
        command: "setsid PROGRAM",
        effect: "start the program in a new session in the namespace",
      },
    ],
  },
  {
    id: "SESSION_OUTSIDE",
    match:
      /(?:No task found with sid (?<sid>\d+)|Can't find a session leader for (?<sid_of>\d+)|Don't have tty to inherit session from)/,
    during: "restore",
    what: "a terminal or task belongs to a session that is not in the set",
    why: "it was a shell job, and can be restored only as a job of the restoring shell",
    mends: [
      {
        command: "{restore}",
        effect: "restore with the options that the images need, from a terminal",
      },
    ],
  },
  {
    id: "SESSION_MIXED",
    match: /^Current (?:sid|gid) (?<sid>\d+) intersects with (?:pid|sid of|pgid of)/,
    during: "restore",
    what: "the session id of the restoring shell, {sid}, is also used in the process tree",
    why: "with --shell-job the tasks join this session, which would conflict",
    mends: [{ effect: "restore from another terminal or shell" }],
  },
  {
    id: "TERMINAL_OUTSIDE",
    match: /Found slave peer index (?<index>\d+) without correspond master peer/,
    what: "the terminal /dev/pts/{index} is open in the process tree, but its master is not",
    why: "the terminal emulator or ssh server with the master is not in the process tree",
    mends: [
      SHELL_JOB,
      {
        command: "{restore}",
        effect: "restore with the options that the images need, from a terminal",
      },
      {
        edit: "--fd PID:N=/dev/null",
        effect: "replace the terminal",
      },
    ],
  },
  {
    id: "TERMINAL_OUTSIDE",
    match: /Found dangling tty with sid (?<sid>\d+) pgid (?<pgid>\d+) \((?<path>[^)]*)\)/,
    what: "the session of the terminal {path} is not in the process tree",
    why: "the terminal emulator or ssh server with the master is not in the process tree",
    mends: [SHELL_JOB],
  },
  {
    id: "TERMINAL_DENIED",
    match:
      /^tty: (?:Can't (?:open (?:slave |master )?(?:tty|pty)|open |setup uid|change mode|set (?:tty|packed)|obtain)|Unable to (?:open|lock|unlock)|Failed to set group|Can't set sid).*/,
    during: "restore",
    what: "cannot open or set up a terminal of task {pid}",
    why: "terminals are opened again in the devpts that is mounted here, and get their old owner and mode",
    mends: [
      { command: "ls -l /dev/pts /dev/ptmx", effect: "see whether devpts is mounted and may be used" },
      { edit: "--fd {pid}:{fd}=/dev/null", effect: "replace the terminal" },
    ],
  },
  {
    id: "TASK_TRACED",
    match:
      /(?:Unable to interrupt task: (?<task>\d+) \(Operation not permitted\)|SEIZE (?<seized>\d+): can't seize task|ptrace.*: Operation not permitted)/,
    during: "dump",
    what: "criu is not permitted to trace a task of the process tree",
    why: "a task can have only one tracer: it is traced by a debugger, strace or a sandbox, or a security module denies it",
    mends: [{ command: "grep TracerPid /proc/*/status", effect: "find the tracer and end it" }],
  },
  {
    id: "TASK_MISSING",
    match: /Unable to interrupt task: (?<task>\d+) \(No such process\)/,
    during: "dump",
    what: "no such process: {task}",
    why: "it has ended, or is in another pid namespace",
    mends: [{ command: "ps -e", effect: "find its pid" }],
  },
  {
    id: "FREEZE_TIMEOUT",
    match:
      /(?:Timeout reached\. Try to interrupt|Unable to freeze cgroup|Unable to interrupt the current operation)/,
    during: "dump",
    what: "the tasks did not stop in time",
    why: "one of them is in an uninterruptible system call, or keeps starting new tasks",
    mends: [{ command: "criu dump -t {root} -D NEWDIR --timeout 60", effect: "wait longer" }],
  },
  {
    id: "LOCKS",
    match: /Some file locks are hold by dumping tasks/,
    during: "dump",
    what: "a task holds file locks",
    why: "criu dumps them only on request, since another process could acquire them before the restore",
    mends: [
      {
        command: "criu dump -t {root} -D NEWDIR --file-locks",
        effect: "keep the locks; the restore needs the same option",
      },
    ],
  },
  {
    id: "LOCK_TAKEN",
    match:
      /(?:Can not set (?<lock>flock|posix lock|ofd lock)|Can't set lease|Can't restore non breaking lease)/,
    during: "restore",
    what: "cannot restore a file lock or lease of task {pid}",
    why: "another process holds a conflicting lock, or has the leased file open",
    mends: [
      { command: "cat /proc/locks", effect: "show who holds it" },
      { command: "crimg show {image} locks", effect: "show the locks of the tasks" },
    ],
  },
  {
    id: "LOCK_TAKEN",
    match: /^\((?<lock>posix|flock|ofd)\)flag: \d+, type: \d+, pid: (?<task>\d+), fd: (?<fd>\d+)/,
    during: "restore",
    stuck: true,
    what: "criu is waiting for the {lock} lock of task {task} on descriptor {fd}",
    why: "another process holds a conflicting lock, for which criu waits without a timeout",
    mends: [
      { command: "cat /proc/locks", effect: "show who holds it, and end that process" },
      { edit: "--lock {task}:{fd}=drop", effect: "drop the lock" },
    ],
  },
  {
    id: "TASK_DIED",
    match: /^(?<task>\d+) killed by signal 9: (?<name>.+)/,
    during: "restore",
    consequence: true,
    what: "task {task} was killed by SIGKILL during the restore",
    why: "criu kills the tasks when a step fails, and the kernel when memory runs out; the log does not show which",
    mends: [
      LOG,
      {
        command: "journalctl -k | grep -i 'out of memory'",
        effect: "see whether the kernel ran out of memory",
      },
    ],
  },
  {
    id: "TASK_DIED",
    match: /^(?<task>\d+) killed by signal (?<signal>\d+): (?<name>.+)/,
    during: "restore",
    consequence: true,
    what: "task {task} was killed by signal {signal} ({name}) during the restore",
    why: "criu logged no error of its own; a crash can come of a missing or inconsistent image, of another CPU, or of a fault of criu",
    mends: [VALIDATE, LOG],
  },
  {
    id: "TASK_DIED",
    match: /^(?<task>\d+) exited, status=(?<status>\d+)/,
    during: "restore",
    consequence: true,
    what: "task {task} ended during the restore with status {status}",
    why: "the log does not show the error that made criu end it",
    mends: [LOG, VALIDATE],
  },
];
