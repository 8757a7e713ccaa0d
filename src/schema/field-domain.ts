import type { Domain } from "../io/domains.js";

/** What else a domain may depend on: the word size of the machine. */
export interface Machine {
  readonly wordBytes: number;
}

type Owner = Readonly<Record<string, unknown>>;

/**
 * The valid values of a field; a function of its message or structure, and of the record, if they depend on other fields,
 * which returns undefined if the field is unused.
 */
export type FieldDomain = Domain | ((owner: Owner, machine: Machine, record: Owner) => Domain | undefined);
