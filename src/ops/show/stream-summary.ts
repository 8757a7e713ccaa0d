import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { ownRecords } from "../../formats/linux-cr/own-records.js";
import type { Part } from "../../formats/linux-cr/parse.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { REVISIONS } from "../../formats/linux-cr/revisions.js";
import { VMA_TYPE } from "../../formats/linux-cr/tables/memory.js";
import type { LinuxCrDocument } from "../../model/document.js";
import { StreamReader } from "../../model/linux-cr/reader.js";
import { mappedBytes } from "./maps.js";
import type { CheckpointFacts, MemoryFacts, SummaryView } from "./summary-facts.js";

/** The parts of a summary specific to linux-cr streams. */
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
    kernel: image.kind(1) === RECORDS.BUFFER ? image.text(1) || undefined : undefined,
    revision: fitting.join(" or "),
    dialect: Object.keys(dialect).length === 0 ? undefined : dialect,
    extensions,
  };
}

/** Pages of mappings, and those of segments: shared anonymous, System V, memfd. */
function memoryFacts(image: LinuxCrImage, { tasks, pageSize }: LinuxCrDocument["checkpoint"]): MemoryFacts {
  const reader = StreamReader.of(image);
  const pagesOf = ({ pageArrays }: Part): number => pageArrays.reduce((sum, { pages }) => sum + pages, 0);
  let own = 0;
  let shared = 0;
  for (const mm of reader.objects("MM"))
    for (const vma of mm.parts)
      if (reader.get(vma, RECORDS.VMA).value.vma_type === VMA_TYPE.sharedAnonymous) shared += pagesOf(vma);
      else own += pagesOf(vma);
  for (const memfd of reader.objects("FILE")) shared += pagesOf(memfd);
  for (const namespace of reader.objects("IPC_NS"))
    for (const entry of namespace.parts.flatMap((list) => list.parts)) shared += pagesOf(entry);
  return {
    mapped: tasks.reduce((sum, { mappings }) => sum + mappedBytes(mappings), 0n),
    ...{ stored: own * pageSize, shared: shared * pageSize, inParent: 0, lazy: 0 },
    pagesFiles: (own + shared) * pageSize,
  };
}
