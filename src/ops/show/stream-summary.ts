import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { ownRecords } from "../../formats/linux-cr/own-records.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { REVISIONS } from "../../formats/linux-cr/revisions.js";
import type { LinuxCrDocument } from "../../model/document.js";
import { mappedBytes } from "./maps.js";
import type { CheckpointFacts, MemoryFacts, SummaryView } from "./summary-facts.js";

/** The parts of a summary that a linux-cr stream stores in a way of its own. */
export function streamFacts(
  { image, checkpoint, name }: LinuxCrDocument,
  attempt: <T>(part: () => T) => T | undefined,
): Pick<SummaryView, "image" | "checkpoint" | "memory"> {
  const { offset, rest } = image.ending;
  return {
    image: { name, format: "linux-cr stream", files: 1, bytes: offset + rest },
    checkpoint: attempt(() => checkpointFacts(image, checkpoint.pageSize)),
    memory: attempt(() => memoryFacts(image, checkpoint)),
  };
}

function checkpointFacts(image: LinuxCrImage, pageSize: number): CheckpointFacts {
  const { candidates } = image.revision;
  const commits = new Set(candidates.map(({ commit }) => commit));
  const fitting = REVISIONS.filter(({ commit }) => commits.has(commit)).map(({ label }) => label);
  const { dialect, extensions } = ownRecords(image);
  const { time } = image.value(0, RECORDS.HEADER);
  const taken = new Date(Number(time) * 1000);
  return {
    time: Number.isNaN(taken.getTime()) ? undefined : taken.toISOString(),
    architecture: image.dialect.arch.name,
    pageSize,
    kernel: image.kind(1) === RECORDS.BUFFER ? image.text(1) : undefined,
    revision: fitting.join(" or "),
    dialect: Object.keys(dialect).length === 0 ? undefined : dialect,
    extensions,
  };
}

/** Pages follow PGARR records, those of shared memory and System V segments among them. */
function memoryFacts(image: LinuxCrImage, { tasks, pageSize }: LinuxCrDocument["checkpoint"]): MemoryFacts {
  let pages = 0;
  for (let i = 0; i < image.length; i++)
    if (image.kind(i) === RECORDS.PGARR) pages += Number(image.value(i, RECORDS.PGARR).nr_pages);
  const stored = pages * pageSize;
  return {
    mapped: tasks.reduce((sum, { mappings }) => sum + mappedBytes(mappings), 0n),
    ...{ stored, shared: 0, inParent: 0, lazy: 0, pagesFiles: stored },
  };
}
