import type { RestoreContext } from "../construction.js";
import type { Step } from "../plan/plan.js";
import { ATTRIBUTES } from "./attributes.js";
import type { Builders } from "./builders.js";
import { CONNECTIONS } from "./connections.js";
import { CREDENTIALS } from "./credentials.js";
import { DEADLINES } from "./deadlines.js";
import { DIRECTORIES } from "./directories.js";
import { FILES } from "./files.js";
import { LIFE } from "./life.js";
import { LOCKS } from "./locks.js";
import { MEMORY } from "./memory.js";
import { OWNERS } from "./owners.js";
import { SECCOMP } from "./seccomp.js";
import { SIGNALS } from "./signals.js";
import { TERMINALS } from "./terminals.js";
import { THREADS } from "./threads.js";
import { TREE } from "./tree.js";
import { VERIFICATION } from "./verification.js";
import { WATCHES } from "./watches.js";

const BUILDERS: Builders<Step> = {
  ...ATTRIBUTES,
  ...CONNECTIONS,
  ...CREDENTIALS,
  ...DEADLINES,
  ...DIRECTORIES,
  ...FILES,
  ...LIFE,
  ...LOCKS,
  ...MEMORY,
  ...OWNERS,
  ...SECCOMP,
  ...SIGNALS,
  ...TERMINALS,
  ...THREADS,
  ...TREE,
  ...VERIFICATION,
  ...WATCHES,
};

/** Does one step of a plan. Errors: BackendError naming the task and what the kernel refused. */
export function build(context: RestoreContext, step: Step): void {
  const run = BUILDERS[step.kind] as (context: RestoreContext, step: Step) => void;
  run(context, step);
}
