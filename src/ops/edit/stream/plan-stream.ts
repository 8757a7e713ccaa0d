import type { Splice } from "../../../io/splice.js";
import type { LinuxCrDocument } from "../../../model/document.js";
import type { Policy } from "../../../model/policy.js";
import type { EditGroup } from "../kind.js";
import type { NewFile } from "../new-file.js";
import type { Mention, PlanOptions } from "../plan.js";
import { checkStream } from "./check.js";
import { StreamDraft } from "./draft.js";
import { STREAM_PLANS } from "./kinds/index.js";
import { planStreamPolicies } from "./kinds/policy.js";
import { scanStreamMemory } from "./scan-memory.js";

export interface PlannedStream {
  readonly ledger: StreamDraft;
  readonly policyMatches: number;
  /** Of the stream's file, the only one. */
  readonly splices: ReadonlyMap<string, readonly Splice[]>;
  readonly mentions: readonly Mention[] | undefined;
  readonly newFiles: readonly NewFile[];
}

/** Plans edits of a linux-cr stream; see planEdits. */
export function planStream(
  document: LinuxCrDocument,
  groups: readonly EditGroup[],
  options: PlanOptions,
  policies: readonly Policy[],
): PlannedStream {
  const draft = new StreamDraft(document, options);
  for (const { kind, members } of groups) {
    const plan = STREAM_PLANS[kind.name];
    if (plan === undefined) kind.plan(members, draft);
    else plan(members, draft);
  }
  const policyMatches = planStreamPolicies(policies, draft);
  draft.finish();
  const splices = draft.splices();
  checkStream(draft, splices);
  return {
    ledger: draft,
    policyMatches,
    splices: new Map(splices.length === 0 ? [] : [[draft.name, splices]]),
    mentions: options.scanMemory === true ? scanStreamMemory(draft, options.onProgress) : undefined,
    newFiles: draft.newFiles,
  };
}
