import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import type { StreamReader } from "../../../model/linux-cr/reader.js";
import { build } from "./build/build.js";
import { RestoreContext } from "./construction.js";
import { thisHost } from "./host.js";
import { readImage } from "./image.js";
import type { RestoreOptions } from "./options.js";
import { planOf } from "./plan/plan.js";
import { unsupportedOf } from "./plan/refusals/refusals.js";

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
        build(context, step);
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
