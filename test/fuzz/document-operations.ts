import { CriuBackend } from "../../src/backends/criu/criu-backend.js";
import { SlimBackend } from "../../src/backends/slim/slim-backend.js";
import { diffLines } from "../../src/cli/diff-lines.js";
import { explanationLines } from "../../src/cli/explanation-lines.js";
import { grepJson, grepLine } from "../../src/cli/grep-lines.js";
import { memoryLines } from "../../src/cli/memory-lines.js";
import { viewLines } from "../../src/cli/show/lines.js";
import { recordLines } from "../../src/cli/show/record.js";
import { summaryLines } from "../../src/cli/show/summary.js";
import { verdictLines } from "../../src/cli/verdict-lines.js";
import { DirectoryFileSet } from "../../src/io/file-set.js";
import { MemorySource } from "../../src/io/source.js";
import type { Document } from "../../src/model/document.js";
import { salvage } from "../../src/model/salvaged.js";
import { searchable } from "../../src/model/search/stored-search.js";
import { openFileSet, openStream } from "../../src/open.js";
import { type Conversion, planConversion } from "../../src/ops/convert/convert.js";
import { writeConversion } from "../../src/ops/convert/write.js";
import { coreOf } from "../../src/ops/core/core.js";
import { diffCheckpoints } from "../../src/ops/diff/diff.js";
import { explainLog } from "../../src/ops/explain/explain.js";
import { extractables } from "../../src/ops/extract/extract.js";
import { grep } from "../../src/ops/grep/grep.js";
import { memoryView } from "../../src/ops/memory/memory-view.js";
import { openRestoreOptions, restoreOptions } from "../../src/ops/restore-options/restore-options.js";
import { recordView } from "../../src/ops/show/record.js";
import { summaryView } from "../../src/ops/show/summary.js";
import { VIEWS, type ViewName } from "../../src/ops/show/views.js";
import { RULES, type ValidateOptions, validate } from "../../src/ops/validate/validate.js";
import { restorable } from "../../src/restorable.js";
import { LOOK, shown, shownJson } from "./answers.js";
import { editOperations } from "./edit-operations.js";
import type { Operation } from "./family.js";
import type { Random } from "./random.js";
import { anyLog } from "./texts/log.js";

/** A mutant of an image as the operations on whole images want it. */
export interface Target {
  readonly random: Random;
  open(): Document;
  /** The image that it was made of. */
  original(): Document;
  /** Names of records that are worth a look, as `show record` takes them. */
  readonly records: readonly string[];
  /** A path that is free, in a directory that is removed. */
  fresh(): string;
}

const WISHES = { extra: [] } as const;

/** Everything that crimg does with a whole image. */
export function documentOperations(target: Target): Operation[] {
  const { random } = target;
  const on = (name: string, run: (document: Document) => unknown): Operation => ({
    name,
    async run() {
      const document = target.open();
      try {
        await run(document);
      } finally {
        document.close();
      }
    },
  });
  return [
    on("show", (document) => {
      const read = salvage(document);
      shownJson(summaryView(read));
      shown(summaryLines(summaryView(read), LOOK));
    }),
    ...(Object.keys(VIEWS) as ViewName[]).map((view) =>
      on(`show ${view}`, (document) => view_(document, view, random)),
    ),
    ...target.records.flatMap((name) => [
      on(`show record ${name}`, (document) => shown(recordLines(recordView(document, name), LOOK))),
      on(`show record ${name} --json`, (document) => shownJson(recordView(document, name))),
    ]),
    on("memory", (document) => {
      shownJson(memoryView(document));
      shown(memoryLines(memoryView(document), LOOK));
    }),
    on("extract", (document) => {
      for (const { size, contents } of extractables(salvage(document).checkpoint)) {
        size();
        for (const _piece of contents()) break;
      }
    }),
    on("core", (document) => {
      const { checkpoint } = document;
      for (const { pid } of checkpoint.tasks.slice(0, MAX_CORES))
        for (const _piece of coreOf(document, { pid }).contents()) break;
    }),
    on("grep", (document) => searched(document, random)),
    on("validate", (document) => checked(document)),
    on("validate --root --host", (document) =>
      checked(document, { root: "/", criu: { path: "/usr/sbin/criu", version: "4.2", problem: undefined } }),
    ),
    on("diff with itself", (document) => compared(document, document)),
    on("diff", (document) => comparedWith(target, (original) => compared(original, document))),
    on("diff, the other way", (document) => comparedWith(target, (original) => compared(document, original))),
    on("convert", (document) => {
      const conversion = planConversion(document);
      shownJson(conversion.losses);
      const to = target.fresh();
      writeConversion(conversion, to, false, () => {});
      const read = reopened(conversion, to);
      checked(read);
      read.close();
    }),
    on("restore --backend criu", (document) => planned(document, new CriuBackend())),
    on("restore --backend slim", (document) => planned(document, new SlimBackend())),
    on("explain", (document) => {
      const [log] = anyLog(random);
      const explanation = explainLog(new MemorySource(log, "restore.log"), document);
      shownJson(explanation);
      shown(explanationLines(explanation, LOOK));
    }),
    ...editOperations(target),
  ];
}

function view_(document: Document, view: ViewName, random: Random): void {
  const answer = VIEWS[view](document, { runs: true, threads: true });
  if (random.chance(0.5)) shownJson(answer);
  else shown(viewLines(view, answer, LOOK));
}

/** What stands in many images, in memory and in queues. */
const PATTERNS = [
  ["HOME=", {}],
  ["[a-z/]{8,}", { regex: true }],
  ["7f 45 ?? 46", { hex: true }],
] as const;
const MAX_HITS = 1000;
const MAX_CORES = 20;

function searched(document: Document, random: Random): void {
  const [pattern, options] = random.pick<(typeof PATTERNS)[number]>(PATTERNS);
  const unsearched = { lazy: 0, missing: 0, errors: [] };
  let left = MAX_HITS;
  for (const hit of grep(searchable(salvage(document).checkpoint), pattern, { options, unsearched })) {
    shownJson(grepJson(hit, "image"));
    shown([grepLine(hit, "image", LOOK.style)]);
    if (--left === 0) return;
  }
}

function checked(document: Document, options: ValidateOptions = {}): void {
  const read = salvage(document);
  const verdict = validate(read, options);
  shownJson(verdict);
  const needed = verdict.valid ? [...restoreOptions(read), ...openRestoreOptions(read)] : [];
  shown(
    verdictLines(verdict, {
      style: LOOK.style,
      image: document.name,
      rules: RULES,
      options: needed,
      all: true,
    }),
  );
}

function compared(left: Document, right: Document): void {
  const answer = diffCheckpoints(left, right, { pages: true });
  shownJson(answer);
  shown(diffLines(left.name, right.name, diffCheckpoints(left, right), { ...LOOK, allRegisters: true }));
}

function comparedWith(target: Target, compare: (original: Document) => void): void {
  const original = target.original();
  try {
    compare(original);
  } finally {
    original.close();
  }
}

function reopened(conversion: Conversion, to: string): Document {
  return conversion.to === "criu" ? openFileSet(new DirectoryFileSet(to)) : openStream(conversion.stream);
}

/** What `restore --print` works out, without a look for a criu. */
async function planned(document: Document, backend: CriuBackend | SlimBackend): Promise<void> {
  const { document: restored, losses } = restorable(document, undefined, backend.family);
  const { options, unanswered } = backend.needs(restored, WISHES);
  const command = backend.commandLine(restored, {
    ...WISHES,
    needed: options,
    given: [],
    detach: false,
  });
  const objections = await backend.preflight(restored);
  shownJson({ losses, options, unanswered, command, objections, steps: await backend.steps(restored) });
}
