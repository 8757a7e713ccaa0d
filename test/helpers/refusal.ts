import { isCrimgError } from "../../src/io/errors.js";

/** Code and sentence of the error of crimg that this raises, `none` without one. */
export function refusal(what: () => unknown): string {
  try {
    what();
  } catch (error) {
    if (isCrimgError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}
