import fs from "node:fs";
import { BackendError } from "../../../../io/errors.js";
import { bytesToText } from "../../../../io/text.js";
import { readAreas } from "../../proc/mappings.js";
import type { Construction } from "../construction.js";
import type { VerificationStep } from "../plan/verification.js";
import { areaDifferences } from "../verify/areas.js";
import { descriptorDifferences } from "../verify/descriptors.js";
import { processDifferences } from "../verify/process.js";
import { threadDifferences } from "../verify/threads.js";
import type { Builders } from "./builders.js";

/** Differences that are told: the first says most. */
const MOST_TOLD = 20;

export const VERIFICATION: Builders<VerificationStep> = {
  verify(work, { task, outside }) {
    const { process } = work.site(task);
    const { areas } = work.image.memory(process.objects?.mm_objref ?? 0);
    const differences = [
      ...processDifferences(work, process, outside),
      ...areaDifferences(areas, readAreas(task), (objref) => openName(work, objref)),
      ...descriptorDifferences(work, process),
      ...threadDifferences(work, process),
    ];
    if (differences.length === 0) return;
    const lines = differences
      .slice(0, MOST_TOLD)
      .map(({ object, expected, found }) => `task ${task}: ${object}: expected ${expected}, found ${found}`);
    throw new BackendError(`what was restored is not as in the image\n${lines.join("\n")}`);
  },
};

/** What the kernel calls the file that crimg has opened for a FILE. */
function openName({ files }: Construction, objref: number): string {
  return bytesToText(fs.readlinkSync(`/proc/self/fd/${files.get(objref)}`, "buffer"));
}
