import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { bytesToText } from "../../../io/text.js";
import { descriptorDifferences } from "../files/verify.js";
import { guardDifferences, vmaDifferences } from "../memory/verify.js";
import { readVmas } from "../proc/mappings.js";
import { guardPages } from "../proc/pagemap.js";
import { processDifferences, threadDifferences } from "../tasks/verify.js";
import type { Appliers, RestoreContext } from "./context.js";
import type { VerificationStep } from "./plan.js";

/** Differences that are told: the first says most. */
const MAX_DIFFERENCES = 20;

export const VERIFICATION: Appliers<VerificationStep> = {
  verify(context, { task, external }) {
    const { process } = context.task(task);
    const { vmas } = context.image.memory(process.objects?.mm_objref ?? 0);
    const differences = [
      ...processDifferences(context, process, external),
      ...vmaDifferences(vmas, readVmas(task), (objref) => openName(context, objref)),
      ...guardDifferences(vmas, guardPages(task)),
      ...descriptorDifferences(context, process),
      ...threadDifferences(context, process),
    ];
    if (differences.length === 0) return;
    const lines = differences
      .slice(0, MAX_DIFFERENCES)
      .map(({ object, expected, found }) => `task ${task}: ${object}: expected ${expected}, found ${found}`);
    throw new BackendError(`the restored tasks differ from the image\n${lines.join("\n")}`);
  },
};

/** What the kernel calls the file that crimg has opened for a FILE. */
function openName({ files }: RestoreContext, objref: number): string {
  return bytesToText(fs.readlinkSync(`/proc/self/fd/${files.get(objref)}`, "buffer"));
}
