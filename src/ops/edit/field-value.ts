import { UsageError } from "../../io/errors.js";

/** The value of `--set` that takes a field, a list element or a whole record away. */
export const ABSENT = "absent";

/** For a place that is a whole record. */
export function noFieldNamed(place: string, fields: readonly string[]): UsageError {
  return new UsageError(`name a field behind ${place}: ${fields.join(", ")}`);
}
