import { IMAGES } from "../../../formats/criu/images.js";
import { PE } from "../../../formats/criu/pagemap.js";
import { PageStore } from "../../../formats/criu/pages-store.js";
import { isCrimgError } from "../../../io/errors.js";
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
    about: "A set with pages in its parent has a parent link that leads to a set.",
    mend: RELINK,
    *check(context) {
      const first = pagemaps(context).find((map) => parentEntries(map).next().done === false);
      if (first === undefined) return;
      const problem = parentProblem(context);
      if (problem !== undefined)
        yield {
          at: { image: "parent" },
          what: problem,
          expected: `a link to the set that ${first.name} builds on`,
        };
    },
  },
  {
    id: "PARENT_PAGES",
    level: "error",
    about: "Every page that is said to be in the parent is there, or further back.",
    mend: RELINK,
    *check(context) {
      if (parentProblem(context) !== undefined) return;
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

function parentProblem(context: SetContext): string | undefined {
  try {
    return context.set.parent() === undefined
      ? "pages are in a parent, and the set has no parent link"
      : undefined;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return textOf(error);
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
