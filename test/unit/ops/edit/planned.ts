import path from "node:path";
import { fileURLToPath } from "node:url";
import { CriuImageSet } from "../../../../src/formats/criu/image-set.js";
import { DirectoryFileSet, OverlayFileSet } from "../../../../src/io/file-set.js";
import { splicedFiles } from "../../../../src/io/splice.js";
import type { CriuDocument } from "../../../../src/model/document.js";
import type { Policy } from "../../../../src/model/policy.js";
import { openFileSet } from "../../../../src/open.js";
import type { Edit, Plan, PlanOptions } from "../../../../src/ops/edit/plan.js";
import { planEdits } from "../../../../src/ops/edit/plan-edits.js";
import { openSet } from "../../../helpers/open-set.js";

/** Directory of a real image set. */
export function fixture(name: string): string {
  return path.join(fileURLToPath(new URL("../../../../fixtures/criu", import.meta.url)), name);
}

/** Edits as `kind text`. */
export function edits(...texts: string[]): Edit[] {
  return texts.map((each) => {
    const at = each.indexOf(" ");
    return { kind: each.slice(0, at), text: each.slice(at + 1) };
  });
}

export interface Planned {
  readonly plan: Plan;
  /** The set as it would be written. */
  readonly after: CriuImageSet;
  /** Changes as `image[record].field: old -> new`, values as JSON unless they are text. */
  readonly changes: string[];
}

/** Plans edits of a fixture or of a set in memory. */
export function planned(
  set: string | CriuDocument,
  given: readonly Edit[],
  options: PlanOptions = {},
  policies: readonly Policy[] = [],
): Planned {
  const document = typeof set === "string" ? openSet(fixture(set)) : set;
  const plan = planEdits(document, given, options, policies);
  const { fileSet } = document.set;
  const after = new CriuImageSet(new OverlayFileSet(fileSet, splicedFiles(fileSet, plan.splices)));
  const changes = plan.changes.map(
    ({ image, record, field, before, after: fresh }) =>
      `${image}[${record}].${field}: ${text(before)} -> ${text(fresh)}`,
  );
  return { plan, after, changes };
}

/** A fixture with some of its images replaced. */
export function fixtureWith(name: string, files: ReadonlyMap<string, Buffer | null>): CriuDocument {
  const base = new DirectoryFileSet(fixture(name));
  const changed = [...files].map(
    ([file, bytes]) =>
      [
        file,
        bytes && {
          name: file,
          size: bytes.length,
          read: (at: number, n: number) => bytes.subarray(at, at + n),
          close() {},
        },
      ] as const,
  );
  return openFileSet(new OverlayFileSet(base, new Map(changed)));
}

function text(value: unknown): string {
  if (value === undefined) return "absent";
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? Number(item) : item));
}
