import type { Cause, MendTemplate } from "../cause.js";

const SHELL_JOB: MendTemplate = {
  command: "criu dump -t {root} -D NEWDIR --shell-job",
  effect: "dump it as a job of a shell; it is then restored from a terminal, too",
};

/** Tasks, sessions, terminals, locks. */
export const TASK_CAUSES: readonly Cause[] = [
  {
    id: "PID_TAKEN",
    match: /^Can't fork for (?<task>\d+): File exists/,
    during: "restore",
    what: "pid {task} is taken",
    why: "a task comes back under its old pid; after a checkpoint or a failed restore the old task stays a zombie for about a second, until its parent looks at it",
    mends: [
      { command: "ps -o pid,ppid,stat,args -p {task}", effect: "see who has it" },
      { command: "{restore}", effect: "try again, when it was a zombie" },
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
    id: "NEEDS_PID_NAMESPACE",
    match: /This process tree can only be restored in a new pid namespace/,
    during: "restore",
    what: "the tree holds a pid that stands for something else here",
    why: "it comes from another pid namespace",
    mends: [
      {
        command: "unshare --pid --fork --mount-proc {restore}",
        effect: "restore in a pid namespace of its own",
      },
    ],
  },
  {
    id: "PID_MAX",
    match: /Can't set kernel pid_max=(?<pid_max>\d+)/,
    during: "restore",
    what: "the tree holds pids up to {pid_max}, which this kernel does not give out",
    why: "kernel.pid_max is lower here, and criu may not raise it",
    mends: [{ effect: "sysctl kernel.pid_max={pid_max}" }],
  },
  {
    id: "SESSION_OUTSIDE",
    match: /^The root process (?<task>\d+) is not a session leader/,
    what: "task {task} belongs to the session of a process outside of the tree",
    why: "criu brings sessions back as a whole unless it is told that this is a job of a shell",
    mends: [
      SHELL_JOB,
      { command: "setsid PROGRAM", effect: "start the program in a session of its own next time" },
    ],
  },
  {
    id: "SESSION_OUTSIDE",
    match: /A session leader of (?:zombie process )?(?<task>\d+)\(\d+\) is outside of its pid namespace/,
    during: "dump",
    what: "the session of task {task} belongs to a process outside of its pid namespace",
    why: "that session cannot be named from within the namespace",
    mends: [
      {
        command: "setsid PROGRAM",
        effect: "start the program in a session of its own inside of the namespace",
      },
    ],
  },
  {
    id: "SESSION_OUTSIDE",
    match:
      /(?:No task found with sid (?<sid>\d+)|Can't find a session leader for (?<sid_of>\d+)|Don't have tty to inherit session from)/,
    during: "restore",
    what: "a terminal or task belongs to a session that is not in the set",
    why: "it was a job of a shell, and comes back only as a job of the shell that restores it",
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
    what: "the session of the shell that restores, {sid}, has a number that the tree uses itself",
    why: "with --shell-job the tree joins this session, and the two would be mixed",
    mends: [{ effect: "restore from another terminal or shell" }],
  },
  {
    id: "TERMINAL_OUTSIDE",
    match: /Found slave peer index (?<index>\d+) without correspond master peer/,
    what: "the terminal /dev/pts/{index} is open in the tree, and its master is not",
    why: "the terminal emulator or ssh server that holds the master is outside of the tree",
    mends: [
      SHELL_JOB,
      {
        command: "{restore}",
        effect: "restore with the options that the images need, from a terminal",
      },
      {
        edit: "--fd PID:N=/dev/null",
        effect: "leave the terminal out",
      },
    ],
  },
  {
    id: "TERMINAL_OUTSIDE",
    match: /Found dangling tty with sid (?<sid>\d+) pgid (?<pgid>\d+) \((?<path>[^)]*)\)/,
    what: "the terminal {path} belongs to a session that is not in the tree",
    why: "the terminal emulator or ssh server that holds the master is outside of the tree",
    mends: [SHELL_JOB],
  },
  {
    id: "TASK_TRACED",
    match:
      /(?:Unable to interrupt task: (?<task>\d+) \(Operation not permitted\)|SEIZE (?<seized>\d+): can't seize task|ptrace.*: Operation not permitted)/,
    during: "dump",
    what: "criu may not trace a task of the tree",
    why: "a task has one tracer at most: a debugger, strace or a sandbox has it already, or a security module forbids it",
    mends: [{ command: "grep TracerPid /proc/*/status", effect: "find the tracer and end it" }],
  },
  {
    id: "TASK_MISSING",
    match: /Unable to interrupt task: (?<task>\d+) \(No such process\)/,
    during: "dump",
    what: "there is no process {task}",
    why: "it has ended, or lives in another pid namespace",
    mends: [{ command: "ps -e", effect: "look for its pid" }],
  },
  {
    id: "FREEZE_TIMEOUT",
    match:
      /(?:Timeout reached\. Try to interrupt|Unable to freeze cgroup|Unable to interrupt the current operation)/,
    during: "dump",
    what: "the tasks did not stop in time",
    why: "one of them sits in a system call that cannot be interrupted, or starts new tasks all the time",
    mends: [{ command: "criu dump -t {root} -D NEWDIR --timeout 60", effect: "wait longer" }],
  },
  {
    id: "LOCKS",
    match: /Some file locks are hold by dumping tasks/,
    during: "dump",
    what: "a task holds file locks",
    why: "criu takes them only when it is told to, since a process outside of the tree could take them in between",
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
    what: "a file lock or lease of task {pid} cannot be had again",
    why: "another process holds a lock that conflicts, or has the leased file open",
    mends: [
      { command: "cat /proc/locks", effect: "see who holds it" },
      { command: "crimg show {image} locks", effect: "see what the tasks held" },
    ],
  },
  {
    id: "LOCK_TAKEN",
    match: /^\((?<lock>posix|flock|ofd)\)flag: \d+, type: \d+, pid: (?<task>\d+), fd: (?<fd>\d+)/,
    during: "restore",
    stuck: true,
    what: "criu waits for the {lock} lock of task {task} on descriptor {fd}",
    why: "another process holds a lock that conflicts, and criu waits for it without end",
    mends: [
      { command: "cat /proc/locks", effect: "see who holds it; it must let go" },
      { edit: "--lock {task}:{fd}=drop", effect: "give the lock up" },
    ],
  },
  {
    id: "TASK_DIED",
    match: /^(?<task>\d+) (?:killed by signal (?<signal>\d+): (?<name>.+)|exited, status=(?<status>\d+))/,
    during: "restore",
    consequence: true,
    what: "task {task} ended while it was being restored, and criu says no more",
    why: "a damaged set makes criu itself crash: a signal 11 mostly means a missing or contradictory image",
    mends: [
      { command: "crimg validate {image} --root / --host", effect: "check the set" },
      { command: "{restore} --log restore.log", effect: "keep all that criu says" },
    ],
  },
];
