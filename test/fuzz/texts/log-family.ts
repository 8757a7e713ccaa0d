import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explanationLines } from "../../../src/cli/explanation-lines.js";
import { MemorySource } from "../../../src/io/source.js";
import { openDocument } from "../../../src/open.js";
import { applyPlan } from "../../../src/ops/edit/apply.js";
import { editHistory } from "../../../src/ops/edit/history.js";
import { EDIT_LOG } from "../../../src/ops/edit/log.js";
import { STREAM_LOG_SUFFIX } from "../../../src/ops/edit/place.js";
import { planEdits } from "../../../src/ops/edit/plan-edits.js";
import { undoEdits } from "../../../src/ops/edit/undo.js";
import { explainLog } from "../../../src/ops/explain/explain.js";
import { fixture, streamFixture } from "../../helpers/images.js";
import { openSet } from "../../helpers/open-set.js";
import { LOOK, shown, shownJson } from "../answers.js";
import { type Family, type Making, type Mutant, steps } from "../family.js";
import { changedJson } from "./json.js";
import { anyLog } from "./log.js";

const VERSION = { version: "0.0.0" } as const;
const EDITS = [
  { kind: "comm", text: "1000=other" },
  { kind: "remap-path", text: "/var=/elsewhere" },
];

/** Logs of criu for explain, and the logs of edits for log and undo. */
export const LOGS: Family = {
  name: "log",
  share: 7,
  mutant(making): Mutant {
    const how = making.random.below(3);
    return how === 0 ? logOfCriu(making) : how === 1 ? logOfSet(making) : logOfStream(making);
  },
};

function logOfCriu({ random }: Making): Mutant {
  const [log, what] = anyLog(random);
  const run = (): void => {
    const explanation = explainLog(new MemorySource(log, "criu.log"));
    shownJson(explanation);
    shown(explanationLines(explanation, LOOK));
  };
  return { steps: [what], operations: [{ name: "explain", run }] };
}

function logOfSet(making: Making): Mutant {
  const set = join(making.scratch, "set");
  const original = openSet(fixture("logger"));
  for (const to of [{ to: "new", path: set }] as const)
    applyPlan(original, planEdits(original, EDITS), to, VERSION);
  original.close();
  const told = changeLog(making, join(set, EDIT_LOG));
  const out = mkdtempSync(join(making.scratch, "out-"));
  return {
    steps: ["the log of a set", ...told],
    operations: [
      { name: "log", run: () => shownJson(editHistory(openSet(set))) },
      {
        name: "undo",
        run: () => shownJson(undoEdits(openSet(set), 1, { to: "new", path: join(out, "undone") })),
      },
    ],
    digest: () => digestOf(set),
  };
}

function logOfStream(making: Making): Mutant {
  const { scratch } = making;
  const [before, file] = [join(scratch, "before.ckpt"), join(scratch, "edited.ckpt")];
  cpSync(streamFixture("logger"), before);
  const original = openDocument(before);
  if (original.family === "linux-cr")
    applyPlan(original, planEdits(original, EDITS), { to: "new", path: file }, VERSION);
  original.close();
  const told = changeLog(making, `${file}${STREAM_LOG_SUFFIX}`);
  const out = mkdtempSync(join(scratch, "out-"));
  return {
    steps: ["the log of a stream", ...told],
    operations: [
      { name: "log", run: () => shownJson(editHistory(openDocument(file))) },
      {
        name: "undo",
        run() {
          const document = openDocument(file);
          if (document.family === "linux-cr")
            shownJson(undoEdits(document, 1, { to: "new", path: join(out, "undone.ckpt") }));
        },
      },
    ],
    digest: () => digestOf(scratch),
  };
}

function changeLog(making: Making, file: string): string[] {
  let text = readFileSync(file, "utf8");
  const told = steps(making, (random) => {
    const [changed, what] = changedJson(text, random);
    text = changed;
    return what;
  });
  const end = making.random.pick(["\n", "\n", "\n", "", `\n${text}\n`]);
  writeFileSync(file, text.trimEnd() + end);
  return told;
}

function digestOf(directory: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(directory, entry.name)));
  return hash.digest("hex");
}
