import type { Cause } from "../cause.js";

const REPORTED = "a container runtime reports that criu failed, but not why";

/** What container runtimes say of a failure of criu, used only if criu's own error is not there too. */
export const RUNTIME_CAUSES: readonly Cause[] = [
  {
    id: "RUNTIME_OF_ANOTHER",
    match: /descriptors\.json: no such file or directory/,
    during: "restore",
    what: "the set has no descriptors.json",
    why: "runc, crun and youki keep in it how standard input and output were connected; another tool made this set",
    mends: [
      { effect: "restore with the runtime or tool that made the set" },
      { command: "crimg restore {image}", effect: "restore it with criu itself" },
    ],
  },
  {
    id: "RUNTIME_LOG",
    match: /(?:log ?file(?:: ?|=| )"?|path= ?)(?<log_path>\/[^\s"'`\\:,]{1,4096})/,
    consequence: true,
    what: REPORTED,
    why: "the error is in the log of criu, {log_path}",
    mends: [{ command: "crimg explain {log_path}", effect: "explain that log, if it is still there" }],
  },
  {
    id: "RUNTIME_LOG",
    match: /\bcheckpoint\b.{0,2000}--work-path[= ](?<work_path>\/[^\s"'`\\]{1,4096})/,
    consequence: true,
    what: REPORTED,
    why: "the error is in the log of criu in {work_path}",
    mends: [
      { command: "crimg explain {work_path}/dump.log", effect: "explain that log, if it is still there" },
    ],
  },
  {
    id: "RUNTIME_LOG",
    match: /\brestore\b.{0,2000}--work-path[= ](?<work_path>\/[^\s"'`\\]{1,4096})/,
    consequence: true,
    what: REPORTED,
    why: "the error is in the log of criu in {work_path}",
    mends: [
      { command: "crimg explain {work_path}/restore.log", effect: "explain that log, if it is still there" },
    ],
  },
];
