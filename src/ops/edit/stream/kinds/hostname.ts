import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { Parsed } from "../../kind.js";
import type { StreamDraft } from "../draft.js";
import { leaveInStream } from "../lookalikes.js";

export function planHostname(edits: readonly Parsed<string>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) {
    const old = new Set<string>();
    for (const index of draft.records(RECORDS.UTS_NS)) {
      old.add(draft.value(index, RECORDS.UTS_NS).nodename);
      draft.change(edit, index, "nodename", args);
    }
    for (const text of old) {
      if (text === args || text === "") continue;
      draft.replaced.set(text, edit);
      leaveInStream(draft, edit, text, (kind, field) => kind === RECORDS.UTS_NS && field === "nodename");
    }
  }
}
