import type { CriuImageSet } from "../../../formats/criu/image-set.js";
import { IMAGES } from "../../../formats/criu/images.js";
import { PE } from "../../../formats/criu/pagemap.js";
import { PageStore } from "../../../formats/criu/pages-store.js";
import { isCrimgError } from "../../../io/errors.js";
import { MAX_PARENT_LEVELS } from "../../../io/limits.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import { pageSize } from "../page-size.js";
import { textOf } from "./framing.js";
import { type PagemapFile, pagemaps, placeOf } from "./pages.js";

const RELINK =
  "Put the earlier sets of the chain back beside this one, and make the link right: ln -sfn ../EARLIER parent.";

/** Rules about incremental sets. */
export const parentRules: readonly Rule<SetContext>[] = [
  {
    id: "PARENT_MISSING",
    level: "error",
    about:
      "What stands at the name parent leads to an image set, and so on to the earliest; a set with pages in its parent has one.",
    fix: `${RELINK} A set that needs no parent does without the link.`,
    *check(context) {
      const first = pagemaps(context).find((map) => parentEntries(map).next().done === false);
      const problem = context.share(parentProblem);
      if (problem === undefined && (first === undefined || context.set.parent() !== undefined)) return;
      yield {
        at: { image: "parent" },
        what: problem?.what ?? "pages are in a parent, and the set has no parent link",
        expected:
          first === undefined ? "a link to an image set" : `a link to the set that ${first.name} builds on`,
        // Where no page is looked for there, criu restores: it finds no pagemap and takes that for no parent.
        level: first === undefined && problem?.isEmpty === true ? "warning" : "error",
      };
    },
  },
  {
    id: "PARENT_PAGES",
    level: "error",
    about: "Every page that is said to be in the parent is there, or further back.",
    fix: RELINK,
    *check(context) {
      if (context.share(parentProblem) !== undefined || context.set.parent() === undefined) return;
      for (const map of pagemaps(context)) {
        if (map.error !== undefined || context.set.damageOf(map.name).length > 0) continue;
        try {
          yield* missingPages(context, map);
        } catch (error) {
          if (!isCrimgError(error)) throw error;
          yield {
            at: { image: map.name, pid: map.pid },
            what: `the chain cannot be followed: ${textOf(error)}`,
          };
        }
      }
    },
  },
];

interface ParentProblem {
  readonly what: string;
  /** It is a directory, only without images. */
  readonly isEmpty: boolean;
}

/** The first fault on the way from the set to its earliest parent. */
function parentProblem(context: SetContext): ParentProblem | undefined {
  try {
    let set: CriuImageSet | undefined = context.set.parent();
    for (let level = 1; set !== undefined; level++) {
      // A page server leaves pagemaps and pages alone, which is a parent too.
      if (!set.files.some(({ kind }) => kind !== undefined)) {
        const where = level === 1 ? "the parent" : `parent ${level} of the chain`;
        return { what: `${where} is a directory without images`, isEmpty: true };
      }
      if (level === MAX_PARENT_LEVELS)
        return { what: `the chain has more than ${MAX_PARENT_LEVELS} parents`, isEmpty: false };
      set = set.parent();
    }
    return undefined;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return { what: textOf(error), isEmpty: false };
  }
}

function* parentEntries({ entries, record }: PagemapFile): Generator<number> {
  for (let i = 0; i < record.length; i++)
    if (((entries.flags[i] as number) & (PE.PARENT | PE.PRESENT)) === PE.PARENT) yield i;
}

function* missingPages(context: SetContext, map: PagemapFile): Generator<Found> {
  let store: PageStore | undefined;
  const size = context.share(pageSize);
  const kind = map.pid === undefined ? IMAGES.SHMEM_PAGEMAP : IMAGES.PAGEMAP;
  for (const i of parentEntries(map)) {
    store ??= new PageStore(context.set, kind, map.id, size);
    const first = map.entries.firstPage(i, size);
    for (const runs of store.runs(first, first + (map.entries.pages[i] as number)))
      for (const run of runs)
        if (run.as === "parent-missing")
          yield {
            at: placeOf(map, i),
            what: "pages that no earlier set has",
            found: `${run.pages} pages at 0x${(BigInt(run.page) * BigInt(size)).toString(16)}`,
          };
  }
}
