import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { Parsed } from "../../kind.js";
import type { PathRule } from "../../path-rules.js";
import { type OwnedRule, PathRules } from "../../path-rules.js";
import type { Edit } from "../../plan.js";
import type { StreamDraft } from "../draft.js";
import { leaveInStream } from "../lookalikes.js";

/** CGROUP_SET holds lines `controller:path`; each is changed by the rule that matches it. */
export function planCgroup(edits: readonly Parsed<PathRule>[], draft: StreamDraft): void {
  const rules = new PathRules(edits.map(({ edit, args }): OwnedRule => ({ ...args, edit })));
  for (const index of draft.records(RECORDS.CGROUP_SET)) {
    const lines = draft.text(index).split("\n");
    let first: Edit | undefined;
    for (const [i, line] of lines.entries()) {
      const at = line.lastIndexOf(":") + 1;
      const mapped = rules.map(line.slice(at));
      if (mapped === undefined) continue;
      lines[i] = line.slice(0, at) + mapped.path;
      draft.matched(mapped.rule.edit);
      first ??= mapped.rule.edit;
    }
    if (first !== undefined) draft.setText(first, index, lines.join("\n"));
  }
  for (const { from, edit } of rules.rules) {
    if (from === "") continue;
    draft.replaced.set(from, edit);
    leaveInStream(draft, edit, from, (kind) => kind === RECORDS.CGROUP_SET);
  }
}
