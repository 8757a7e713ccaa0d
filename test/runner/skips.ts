import { FOREIGN } from "../helpers/foreign.js";
import type { Skipped } from "../helpers/suite.js";

const INSTALL = "test/support/packages.sh";

/** The word of CRIMG_TEST_WITHOUT that allows a skip: programs count as `packages`, crit comes with criu. */
function allowedBy({ want }: Skipped): string {
  if (FOREIGN.some(({ word }) => word === want)) return "packages";
  return want === "crit" ? "criu" : want.replaceAll(" ", "-");
}

/** The skips that CRIMG_TEST_WITHOUT ("packages root criu") does not announce. */
export function unannounced(skipped: readonly Skipped[], without: string): Skipped[] {
  const words = without.split(/[\s,]+/);
  return skipped.filter((each) => !words.includes(allowedBy(each)));
}

/** How many tests were skipped for want of what, and how to have them all: the lines of a table. */
export function skipTable(skipped: readonly Skipped[]): string[] {
  if (skipped.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { want } of skipped) counts.set(want, (counts.get(want) ?? 0) + 1);
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  const width = Math.max(...rows.map(([want]) => want.length));
  const lines = rows.map(
    ([want, count]) => `${String(count).padStart(5)}  ${want.padEnd(width)}  ${remedy(want)}`,
  );
  const install = skipped.some((each) => ["packages", "criu"].includes(allowedBy(each)));
  return [
    "skipped for want of",
    ...lines.map((line) => line.trimEnd()),
    ...(install ? [`as root, this installs all of it: ${INSTALL}`] : []),
  ];
}

function remedy(want: string): string {
  const program = FOREIGN.find(({ word }) => word === want);
  if (program !== undefined) return `package ${program.package}`;
  if (want === "criu" || want === "crit") return "test/support/criu.sh, as packages.sh does";
  if (want === "root") return "run the tests as root";
  return "the skipped tests above say why";
}
