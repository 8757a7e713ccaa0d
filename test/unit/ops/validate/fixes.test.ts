/** Every `crimg edit` that validation prints as a fix, for each case that a rule has, fixes what it is printed for. */
import { execFileSync } from "node:child_process";
import * as assert from "uvu/assert";
import { OverlayFileSet } from "../../../../src/io/file-set.js";
import { SplicedSource, splicedFiles } from "../../../../src/io/splice.js";
import type { Document } from "../../../../src/model/document.js";
import { openFileSet, openStream } from "../../../../src/open.js";
import type { Edit } from "../../../../src/ops/edit/plan.js";
import { planEdits } from "../../../../src/ops/edit/plan-edits.js";
import type { Finding } from "../../../../src/ops/validate/finding.js";
import { validate } from "../../../../src/ops/validate/validate.js";
import { suite } from "../../../helpers/suite.js";
import { fileCases, referenceCases } from "./cases/files.js";
import { imageCases, treeCases } from "./cases/images.js";
import { lockAndSocketCases, memoryCases, taskCases } from "./cases/memory.js";
import { frameCases } from "./stream-cases/frame.js";
import { objectCases } from "./stream-cases/objects.js";
import { ourCases } from "./stream-cases/ours.js";

const test = suite("printed edits", {}, 300);
const SET_CASES = [
  ...imageCases,
  ...treeCases,
  ...fileCases,
  ...referenceCases,
  ...memoryCases,
  ...taskCases,
  ...lockAndSocketCases,
];
const STREAM_CASES = [...frameCases, ...objectCases, ...ourCases];
const EDIT = "crimg edit ";
/** What a person puts in the place of a word. */
const MEANT: Readonly<Record<string, string>> = { NEWPATH: "/srv/other", NEWPORT: "9", NEW: "127.0.0.1" };

/** The edits of a command as the shell splits it: IMG, `--KIND TEXT` …, `--in-place`. */
function editsOf(command: string): Edit[] {
  const script = `set -- ${command.slice(EDIT.length)}; printf '%s\\0' "$@"`;
  const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(1, -2);
  const edits: Edit[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const text = (words[at + 1] ?? "").replace(/=(NEWPATH|NEW)$|:(NEWPORT)$/, (all, word, port) =>
      all.replace(word ?? port, MEANT[word ?? port] ?? ""),
    );
    edits.push({ kind: (words[at] ?? "").slice(2), text });
  }
  return edits;
}

function edited(document: Document, edits: readonly Edit[]): Document {
  const { splices } = planEdits(document, edits);
  if (document.family === "linux-cr")
    return openStream(new SplicedSource(document.image.source, [...splices.values()].flat()));
  const { fileSet } = document.set;
  return openFileSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, splices)));
}

const same = ({ what, at }: Finding): string => JSON.stringify([what, { ...at, offset: undefined }]);

function found(document: Document, id: string): readonly Finding[] {
  return validate(document, { only: [id] }).findings;
}

for (const [family, cases, least] of [
  ["sets", SET_CASES, 22],
  ["streams", STREAM_CASES, 30],
] as const)
  test(`of ${family}`, () => {
    const tried = new Set<string>();
    const wrong: string[] = [];
    for (const { id, what, damaged } of cases) {
      const document = damaged().open();
      for (const finding of found(document, id)) {
        const { fix = "" } = finding;
        if (!fix.startsWith(EDIT)) continue;
        tried.add(id);
        try {
          const after = found(edited(document, editsOf(fix)), id);
          if (after.some((each) => same(each) === same(finding)))
            wrong.push(`${id} (${what}): ${fix} changes nothing`);
        } catch (error) {
          wrong.push(`${id} (${what}): ${fix}: ${(error as Error).message}`);
        }
      }
      document.close();
    }
    assert.equal(wrong, []);
    assert.ok(tried.size >= least, `${tried.size} rules`);
  });

test.run();
