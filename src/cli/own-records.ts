import type { ExtensionFacts, RecordCounts } from "../index.js";

/** Records of a stream that only crimg writes, as text: `as in the header files` if there are none. */
export function* ownRecordsTexts(
  dialect: RecordCounts | undefined,
  extensions: ExtensionFacts | undefined,
): Generator<string> {
  if (dialect === undefined && extensions === undefined) yield "as in the header files";
  if (dialect !== undefined) yield `crimg extension: ${countsText(dialect)}`;
  if (extensions === undefined) return;
  const { version, writer, records, unknown } = extensions;
  const which = version === undefined ? "without a version" : `version ${version} by ${writer}`;
  const later = Object.entries(unknown).map(([id, count]) => `${count} of unknown id ${id}`);
  yield `crimg extension, ${which}: ${[countsText(records), ...later].filter(Boolean).join(", ")}`;
}

function countsText(counts: RecordCounts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
