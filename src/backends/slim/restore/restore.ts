/**
 * The order of a restore and what all objects share meanwhile: image, host, plan, remote tasks, fd transfer. How an object is
 * planned, applied and verified stands in the folder of the object.
 */

import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { CREDENTIALS } from "../credentials/apply.js";
import { CONNECTIONS, DIRECTORIES, FILES, OWNERS, WATCHES } from "../files/apply.js";
import { LOCKS } from "../locks/apply.js";
import { MEMORY } from "../memory/apply.js";
import { SECCOMP } from "../seccomp/apply.js";
import { SIGNALS } from "../signals/apply.js";
import { TREE } from "../tasks/apply.js";
import { ATTRIBUTES, THREADS } from "../tasks/apply-thread.js";
import { TERMINALS } from "../terminals/apply.js";
import { DEADLINES } from "../timers/apply.js";
import { type Appliers, RestoreContext, type RestoreOptions } from "./context.js";
import { thisHost } from "./host.js";
import { readImage } from "./image.js";
import { planOf, type Step } from "./plan.js";
import { LIFE } from "./resume.js";
import { unsupportedOf } from "./unsupported.js";
import { VERIFICATION } from "./verify.js";

/**
 * Restores the processes of a linux-cr stream, phase by phase as planned. They run once everything of all of them is as it
 * was; before that, whatever fails ends all that was made. Gives the pid of the root. `path`: the stream, a regular file.
 * Errors: BackendError with a line for all that cannot be brought back, or naming the task and what the kernel refused; FormatError for a damaged image.
 */
export function restore(reader: StreamReader, path: string, options: RestoreOptions = {}): number {
  const { log } = options;
  const image = readImage(reader);
  const host = thisHost();
  const unsupported = unsupportedOf(image, host);
  if (unsupported.length > 0) throw new BackendError(unsupported.join("\n"));
  const phases = planOf(image, host);
  const file = fs.openSync(path, "r");
  const context = new RestoreContext(image, file, options);
  try {
    for (const { name, steps } of phases)
      for (const step of steps) {
        log?.(`${name}: ${step.task === 0 ? "" : `task ${step.task}: `}${step.what}`);
        applyStep(context, step);
      }
    return image.processes[0]?.ids.pid ?? 0;
  } catch (error) {
    context.abandon();
    throw error;
  } finally {
    context.close();
    fs.closeSync(file);
  }
}

const APPLIERS: Appliers<Step> = {
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
function applyStep(context: RestoreContext, step: Step): void {
  const run = APPLIERS[step.kind] as (context: RestoreContext, step: Step) => void;
  run(context, step);
}
