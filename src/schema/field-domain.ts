import type { Domain } from "../io/domains.js";

/** What else a domain may depend on: the words of the machine that the image is of. */
export interface Machine {
  readonly wordBytes: number;
}

type Owner = Readonly<Record<string, unknown>>;

/**
 * The values that a field may have; as a function of the message or structure that has it where these depend on other
 * fields, or on what else stands in the record, which gives undefined where the field says nothing.
 */
export type FieldDomain = Domain | ((owner: Owner, machine: Machine, record: Owner) => Domain | undefined);
