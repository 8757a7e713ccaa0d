import type { Domain } from "../io/domains.js";

/** What else a domain may depend on: the word size of the machine. */
export interface Machine {
  readonly wordBytes: number;
}

/**
 * The valid values of a field; a function of its message or structure if they depend on other fields, which returns
 * undefined if the field is unused.
 */
export type FieldDomain =
  | Domain
  | ((owner: Readonly<Record<string, unknown>>, machine: Machine) => Domain | undefined);
