const LISTED = 20;

/** The first of many numbers, for a sentence. */
export function listed(numbers: readonly number[], limit = LISTED): string {
  const more = numbers.length > limit ? ` and ${numbers.length - limit} more` : "";
  return `${numbers.slice(0, limit).join(", ")}${more}`;
}
