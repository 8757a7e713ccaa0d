import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { PE, readPagemap } from "../../formats/criu/pagemap.js";
import { isCrimgError } from "../../io/errors.js";
import { isFar } from "../../io/unpacked-source.js";
import type { Checkpoint, Task } from "../../model/checkpoint.js";
import type { CriuDocument, Document } from "../../model/document.js";
import { askedRights } from "../../model/rights/asked.js";
import type { Bearer } from "../../model/rights/bearer.js";
import { rightsBeyond } from "../../model/rights/rights.js";
import { lookAt } from "../../model/salvaged.js";
import { stringsAt } from "../../model/strings.js";
import { containerSummary } from "./container.js";
import { surveyFields } from "./field-survey.js";
import { mappedBytes } from "./maps.js";
import { peculiarities } from "./peculiarities.js";
import { streamFacts } from "./stream-summary.js";
import type {
  CheckpointFacts,
  FileFacts,
  ImageFacts,
  LockFacts,
  MemoryFacts,
  ProgramFacts,
  RightsFacts,
  SocketFacts,
  SummaryView,
  TaskFacts,
} from "./summary-facts.js";
import { viewHead } from "./view.js";

/** What is known of an image from elsewhere. */
export interface Beside {
  /** Whose image it is: its rights beyond those of the owner are shown. */
  readonly owner?: Bearer | undefined;
  /** When crimg first changed it, ISO 8601. */
  readonly firstEdit?: string | undefined;
}

/** Summary of an image, from everything except memory, of which only the command line is read. */
export function summaryView(document: Document, { owner, firstEdit }: Beside = {}): SummaryView {
  const problems = new Set<string>();
  const attempt = <T>(part: () => T): T | undefined => {
    try {
      return part();
    } catch (error) {
      if (!isCrimgError(error)) throw error;
      problems.add(error.message);
      return undefined;
    }
  };
  const known = <T>(facts: (checkpoint: Checkpoint) => T): T | undefined =>
    attempt(() => {
      const { answer, damage } = lookAt([document], ({ checkpoint }) => facts(checkpoint));
      for (const { message } of damage) problems.add(message);
      return answer;
    });
  const common = {
    program: known((checkpoint) => programFacts(checkpoint, hasFarPages(document))),
    tasks: known(({ tasks }) => taskFacts(tasks)),
    files: known(fileFacts),
    sockets: known(socketFacts),
    locks: known(lockFacts),
    rights: owner === undefined ? undefined : known((checkpoint) => rightsFacts(checkpoint, owner)),
  };
  if (document.family === "linux-cr")
    return {
      ...viewHead("summary"),
      ...streamFacts(document, attempt),
      ...common,
      problems: [...problems],
    };
  const { packaged } = document;
  const container = packaged && attempt(() => containerSummary(packaged));
  const image = imageFacts(document.set, attempt);
  return {
    ...viewHead("summary"),
    ...{ image, container },
    checkpoint: attempt(() =>
      checkpointFacts(document, [
        { what: "its checkpoint, as the engine wrote it down", at: timeOf(container?.checkpointed) + SLACK },
        { what: "its first edit", at: timeOf(firstEdit) },
        { what: "now", at: Date.now() + SLACK },
      ]),
    ),
    memory: attempt(() => memoryFacts(document)),
    ...common,
    special: attempt(() => peculiarities(document)),
    problems: [...problems],
  };
}

function imageFacts(set: CriuImageSet, attempt: <T>(part: () => T) => T | undefined): ImageFacts {
  const bytes = set.files.reduce((sum, { name }) => sum + (set.fileSet.open(name)?.size ?? 0), 0);
  const version = attempt(() => set.first(IMAGES.INVENTORY)?.img_version);
  return { name: set.name, format: "CRIU image set", version, files: set.files.length, bytes };
}

/** Whether to read memory would decompress an archive once more; the container tells its command as well. */
function hasFarPages(document: Document): boolean {
  if (document.family !== "criu" || document.packaged === undefined) return false;
  const { files, fileSet } = document.set;
  return files.some(({ name, kind }) => {
    const source = kind === IMAGES.PAGES ? fileSet.open(name) : undefined;
    return source !== undefined && isFar(source);
  });
}

function programFacts({ tasks: [root] }: Checkpoint, withoutMemory: boolean): ProgramFacts | undefined {
  if (root === undefined) return undefined;
  const { pid, comm, exe, cwd, mm, state } = root;
  const { strings: argv } =
    state === "zombie" || withoutMemory ? { strings: [] } : stringsAt(root.memory(), mm?.argv);
  return { pid, comm, argv, exe: exe?.label, cwd: cwd?.label };
}

/** Milliseconds by which clocks differ, and for which an engine still writes. */
const SLACK = 60_000;

/** Milliseconds since 1970; NaN where there is no time. */
function timeOf(text: string | undefined): number {
  return Date.parse(text ?? "");
}

/** `bounds`: what the image cannot be newer than. */
function checkpointFacts(
  { checkpoint, set }: CriuDocument,
  bounds: readonly { readonly what: string; readonly at: number }[],
): CheckpointFacts {
  const dated = [fileNameOf(IMAGES.STATS).replace("%s", "dump"), IMAGES.INVENTORY.file].find(
    (name) => set.fileSet.modified?.(name) !== undefined,
  );
  const time = dated === undefined ? undefined : set.fileSet.modified?.(dated);
  const earlier = bounds.find(({ at }) => time !== undefined && time.getTime() > at);
  const boot = set.first(IMAGES.TIMENS, 0)?.boottime;
  const uptime = boot === undefined ? undefined : boot.tv_sec * 1_000_000_000n + boot.tv_nsec;
  const frozen = dumpStats(set)?.frozen_time;
  return {
    time: time?.toISOString(),
    timeOf: dated,
    notAfter: earlier && { what: earlier.what, time: new Date(earlier.at).toISOString() },
    architecture: checkpoint.architecture,
    pageSize: checkpoint.pageSize,
    criu: surveyFields(set, checkpoint.tasks),
    runId: set.first(IMAGES.INVENTORY)?.dump_criu_run_id,
    ...{ uptimeNs: uptime, uptime },
    frozenNs: frozen === undefined ? undefined : BigInt(frozen) * 1000n,
    frozen,
  };
}

function dumpStats(set: CriuImageSet) {
  for (const { value } of set.imageNamed("stats-dump")?.readRecords() ?? [])
    return (value as { dump?: { readonly frozen_time: number } }).dump;
  return undefined;
}

function taskFacts(tasks: readonly Task[]): TaskFacts {
  const inState = (state: string): number => tasks.filter((task) => task.state === state).length;
  return {
    total: tasks.length,
    threads: tasks.reduce((sum, { threads }) => sum + threads.length, 0),
    zombies: inState("zombie"),
    stopped: inState("stopped"),
  };
}

function memoryFacts({ checkpoint, set }: CriuDocument): MemoryFacts {
  const { pageSize } = checkpoint;
  const pages = { own: 0, shared: 0, inParent: 0, lazy: 0 };
  for (const kind of [IMAGES.PAGEMAP, IMAGES.SHMEM_PAGEMAP]) {
    const stored = kind === IMAGES.PAGEMAP ? "own" : "shared";
    for (const id of set.ids(kind)) {
      const image = set.image(kind, id);
      if (image === undefined) continue;
      const pagemap = readPagemap(image);
      for (const [i, flags] of pagemap.flags.entries()) {
        const where = flags & PE.PRESENT ? stored : flags & PE.PARENT ? "inParent" : "lazy";
        pages[where] += pagemap.pages[i] as number;
      }
    }
  }
  return {
    mapped: checkpoint.tasks.reduce((sum, { mappings }) => sum + mappedBytes(mappings), 0n),
    stored: pages.own * pageSize,
    shared: pages.shared * pageSize,
    inParent: pages.inParent * pageSize,
    lazy: pages.lazy * pageSize,
    pagesFiles: set.files
      .filter(({ kind }) => kind === IMAGES.PAGES)
      .reduce((sum, { name }) => sum + (set.fileSet.open(name)?.size ?? 0), 0),
  };
}

function fileFacts({ files, tasks, deletedFiles }: Checkpoint): FileFacts {
  const tables = new Map(tasks.map(({ descriptors }) => [descriptors?.id, descriptors]));
  return {
    open: files.all.length,
    descriptors: [...tables.values()].reduce((sum, table) => sum + (table?.descriptors.length ?? 0), 0),
    byType: counted(files.all.map(({ type }) => type)),
    deleted: deletedFiles.length,
  };
}

function socketFacts({ files }: Checkpoint): SocketFacts {
  const sockets = files.all.flatMap(({ socket }) => (socket === undefined ? [] : [socket]));
  return {
    total: sockets.length,
    byFamily: counted(sockets.map(({ family }) => family)),
    listening: sockets.filter(({ state }) => state === "LISTEN").length,
    connected: sockets.filter(({ connected }) => connected).length,
  };
}

function lockFacts({ locks }: Checkpoint): LockFacts {
  return {
    byKind: counted(locks.map(({ kind }) => `${kind}`)),
    breakingLeases: locks.filter(({ breaking }) => breaking).length,
  };
}

function rightsFacts(checkpoint: Checkpoint, owner: Bearer): RightsFacts | undefined {
  const asked = askedRights(rightsBeyond(checkpoint, owner));
  return asked.length === 0 ? undefined : { owner: owner.name, asked };
}

function counted(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}
