import { UsageError } from "../../../io/errors.js";
import type { EditKind } from "../kind.js";

interface SetEdit {
  /** IMAGE[RECORD].FIELD */
  readonly place: string;
  readonly value: string;
}

/** `--set IMAGE[RECORD].FIELD=VALUE`: any field there is, by its name in the format. */
export const set: EditKind<SetEdit> = {
  name: "set",
  syntax: "IMAGE[RECORD].FIELD=VALUE",
  summary:
    "any field: a number, text, names of flags, JSON for messages and lists, or absent to take it away",
  parse(text) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`invalid ${JSON.stringify(text)} (expected IMAGE[RECORD].FIELD=VALUE)`);
    return { place: text.slice(0, at), value: text.slice(at + 1) };
  },
  lookedFor: ({ place }) => `there is no ${place}`,
  plan(edits, editor) {
    for (const { edit, args } of edits) editor.setField(edit, args.place, args.value);
  },
};
