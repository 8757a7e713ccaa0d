import { RECORDS } from "../../../../formats/linux-cr/records.js";
import type { DescriptorName } from "../../descriptors.js";
import type { Parsed } from "../../kind.js";
import type { Edit } from "../../plan.js";
import { fileRefOf, type StreamDescriptor, streamDescriptor } from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { releaseFromStream } from "../release.js";

export function planDropFd(edits: readonly Parsed<DescriptorName>[], draft: StreamDraft): void {
  for (const { edit, args } of edits) {
    const descriptor = streamDescriptor(draft, args);
    if (descriptor !== undefined) dropFromStream(draft, edit, descriptor);
  }
}

/** Takes the descriptor out of its table and lets go of what it named. */
export function dropFromStream(draft: StreamDraft, edit: Edit, descriptor: StreamDescriptor): void {
  const objref = fileRefOf(draft, descriptor);
  draft.drop(edit, descriptor.index);
  const table = draft.reader.get(descriptor.table, RECORDS.FILE_TABLE).index;
  draft.change(edit, table, "fdt_nfds", draft.value(table, RECORDS.FILE_TABLE).fdt_nfds - 1);
  releaseFromStream(draft, edit, [descriptor], objref);
  const locks = draft.reader.index(descriptor.part, RECORDS.FILE_LOCKS);
  if (locks !== undefined) draft.drop(edit, locks);
}
