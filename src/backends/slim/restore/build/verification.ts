import fs from "node:fs";
import { BackendError } from "../../../../io/errors.js";
import { bytesToText } from "../../../../io/text.js";
import { readVmas } from "../../proc/mappings.js";
import type { RestoreContext } from "../construction.js";
import type { VerificationStep } from "../plan/verification.js";
import { vmaDifferences } from "../verify/areas.js";
import { descriptorDifferences } from "../verify/descriptors.js";
import { processDifferences } from "../verify/process.js";
import { threadDifferences } from "../verify/threads.js";
import type { Builders } from "./builders.js";

/** Differences that are told: the first says most. */
const MAX_DIFFERENCES = 20;

export const VERIFICATION: Builders<VerificationStep> = {
  verify(context, { task, external }) {
    const { process } = context.task(task);
    const { vmas } = context.image.memory(process.objects?.mm_objref ?? 0);
    const differences = [
      ...processDifferences(context, process, external),
      ...vmaDifferences(vmas, readVmas(task), (objref) => openName(context, objref)),
      ...descriptorDifferences(context, process),
      ...threadDifferences(context, process),
    ];
    if (differences.length === 0) return;
    const lines = differences
      .slice(0, MAX_DIFFERENCES)
      .map(({ object, expected, found }) => `task ${task}: ${object}: expected ${expected}, found ${found}`);
    throw new BackendError(`what was restored is not as in the image\n${lines.join("\n")}`);
  },
};

/** What the kernel calls the file that crimg has opened for a FILE. */
function openName({ files }: RestoreContext, objref: number): string {
  return bytesToText(fs.readlinkSync(`/proc/self/fd/${files.get(objref)}`, "buffer"));
}
