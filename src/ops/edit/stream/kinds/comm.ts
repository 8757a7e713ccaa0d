import { RECORDS } from "../../../../formats/linux-cr/records.js";
import { textToBytes } from "../../../../io/text.js";
import type { Parsed } from "../../kind.js";
import type { Comm } from "../../kinds/comm.js";
import type { StreamDraft } from "../draft.js";
import { streamTasks } from "../tasks.js";

/** The STRING after TASK, which keeps its 16 bytes. */
export function planComm(edits: readonly Parsed<Comm>[], draft: StreamDraft): void {
  for (const { edit, args } of edits)
    for (const { tid, part } of streamTasks(draft)) {
      const index = draft.reader.index(part, RECORDS.STRING);
      if (tid !== args.pid || index === undefined) continue;
      const fresh = Buffer.alloc(draft.payload(index).length);
      textToBytes(args.name).copy(fresh, 0, 0, fresh.length - 1);
      draft.setPayload(edit, index, fresh, "text", { before: draft.text(index), after: args.name });
    }
}
