import type { RecordKind, RecordValue } from "../../../formats/linux-cr/record-kind.js";
import type { Found, Rule, RuleFacts } from "../finding.js";
import type { StreamContext } from "./context.js";

/** What is wrong with one record; the rule adds the place. */
export interface Wrong extends Omit<Found, "at"> {
  readonly field?: string | undefined;
  readonly path?: string | undefined;
  readonly fd?: number | undefined;
  /** The value that the field must have, where there is one: the command that sets it fixes the record. */
  readonly right?: string | number | bigint | undefined;
}

/** The fix of bytes that were cut off or have another length, which no edit gives back. */
export const AGAIN =
  "These bytes are damaged: copy the stream again from where it was made, or take the edit back with crimg undo.";
/** The fix of a record that contradicts another one. */
export const SET_FIELD = "crimg edit --set gives the field the value that is expected.";
/** The fix of ids that contradict each other. */
export const IDS_STAY =
  "crimg undo takes back the edit that did it; else checkpoint again: no edit changes the ids of tasks.";

/** A rule that looks at each record of a kind. */
export function recordRule<K extends RecordKind>(
  kind: K,
  facts: RuleFacts,
  check: (value: RecordValue<K>, index: number, context: StreamContext) => Iterable<Wrong>,
): Rule<StreamContext> {
  return {
    ...facts,
    *check(context) {
      for (const { index, value } of context.each(kind))
        for (const { field, path, fd, right, ...wrong } of check(value, index, context)) {
          const fix = right === undefined ? {} : { fix: setCommand(context, index, field ?? "", right) };
          yield { ...wrong, ...fix, at: context.at(index, { field, path, fd }) };
        }
    },
  };
}

/** The command that gives a field of a record another value. */
export function setCommand(
  context: StreamContext,
  record: number,
  field: string,
  value: string | number | bigint,
): string {
  return context.editCommand("--set", `[${record}].${field}=${value}`);
}
