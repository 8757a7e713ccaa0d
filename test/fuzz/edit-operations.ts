import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { planLines } from "../../src/cli/plan-lines.js";
import type { Document } from "../../src/model/document.js";
import { openDocument } from "../../src/open.js";
import { applyPlan } from "../../src/ops/edit/apply.js";
import { editHistory } from "../../src/ops/edit/history.js";
import { EDIT_KINDS } from "../../src/ops/edit/kinds/index.js";
import { EDIT_LOG } from "../../src/ops/edit/log.js";
import type { Edit, Plan } from "../../src/ops/edit/plan.js";
import { planEdits } from "../../src/ops/edit/plan-edits.js";
import { undoEdits } from "../../src/ops/edit/undo.js";
import { LOOK, shown, shownJson } from "./answers.js";
import type { Target } from "./document-operations.js";
import { Broken, type Operation } from "./family.js";
import { anyEdit } from "./texts/edits.js";

const VERSION = { version: "0.0.0" } as const;
/** So many of the kinds of edits are planned for one mutant, and one of them is made and taken back. */
const PLANNED = 5;

/** Edits of a mutant: some planned, one of them written elsewhere and undone there. */
export function editOperations(target: Target): Operation[] {
  const { random } = target;
  const kinds = Array.from({ length: PLANNED }, () => random.pick(EDIT_KINDS).name);
  const edits = [...new Set(kinds)].map((kind) => anyEdit(kind, random));
  return [
    ...edits.map(
      (edit): Operation => ({
        name: `edit --${edit.kind}`,
        run() {
          withDocument(target, (document) => {
            const plan = planEdits(document, [edit], {
              root: target.fresh(),
              scanMemory: random.chance(0.1),
            });
            shownJson({ ...plan, splices: undefined });
            shown(planLines(plan, undefined, LOOK));
          });
        },
      }),
    ),
    {
      name: "edit and undo",
      run: () => withDocument(target, (document) => madeAndUndone(document, target, edits)),
    },
  ];
}

function withDocument(target: Target, run: (document: Document) => void): void {
  const document = target.open();
  try {
    run(document);
  } finally {
    document.close();
  }
}

function madeAndUndone(document: Document, target: Target, edits: readonly Edit[]): void {
  const plan = firstPlan(document, edits, target.fresh());
  const to = target.fresh();
  applyPlan(document, plan, { to: "new", path: to }, VERSION);
  if (plan.splices.size === 0) return;
  const edited = openDocument(to);
  try {
    shownJson(editHistory(edited));
    undoEdits(edited, 1, { to: "in place" });
  } finally {
    edited.close();
  }
  const [before, after] = [contentOf(document), contentOf(openDocument(to))];
  for (const [name, bytes] of before)
    if (after.get(name)?.equals(bytes) !== true) throw new Broken(`${name} is not the same after undo`);
}

/** The first edit that can be made and does something. Errors: that of the last one. */
function firstPlan(document: Document, edits: readonly Edit[], root: string): Plan {
  let plan: Plan | undefined;
  let trouble: unknown;
  for (const edit of edits) {
    try {
      plan = planEdits(document, [edit], { root });
      if (plan.splices.size > 0) return plan;
    } catch (error) {
      trouble = error;
    }
  }
  if (plan === undefined) throw trouble;
  return plan;
}

/** The bytes of an image without its log. */
function contentOf(document: Document): Map<string, Buffer> {
  if (document.family === "linux-cr") {
    const { source } = document.image;
    return new Map([["the stream", source.read(0, source.size)]]);
  }
  const directory = document.name;
  const names = readdirSync(directory).filter(
    (name) => name !== EDIT_LOG && statSync(join(directory, name), { throwIfNoEntry: false })?.isFile(),
  );
  return new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
}
