import type { ExtensionFacts, RecordCounts } from "../index.js";

/** What of a stream is crimg's own, in words: `as the header files have it` for nothing. */
export function* ownRecordsTexts(
  dialect: RecordCounts | undefined,
  extensions: ExtensionFacts | undefined,
): Generator<string> {
  if (dialect === undefined && extensions === undefined) yield "as the header files have it";
  if (dialect !== undefined) yield `crimg's dialect: ${countsText(dialect)}`;
  if (extensions === undefined) return;
  const { version, writer, records, unknown } = extensions;
  const which = version === undefined ? "without version" : `version ${version} by ${writer}`;
  const later = Object.entries(unknown).map(([id, count]) => `${count} of unknown id ${id}`);
  yield `crimg's extension ${which}: ${[countsText(records), ...later].filter(Boolean).join(", ")}`;
}

function countsText(counts: RecordCounts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
