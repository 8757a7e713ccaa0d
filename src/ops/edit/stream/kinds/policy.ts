import { EditError, UsageError } from "../../../../io/errors.js";
import type { OpenFile } from "../../../../model/open-file.js";
import { type Policy, policyFinder } from "../../../../model/policy.js";
import { acceptAsItIs, dropChecks } from "../../kinds/accept-file.js";
import { parseRedirection } from "../../kinds/fd.js";
import type { Edit } from "../../plan.js";
import { policyPath, policyText } from "../../policy-text.js";
import {
  descriptorText,
  fileRefOf,
  pathOf,
  type StreamDescriptor,
  type StreamFile,
  streamDescriptors,
  streamFile,
  streamFiles,
} from "../descriptors.js";
import type { StreamDraft } from "../draft.js";
import { dropFromStream } from "./drop-fd.js";
import { type RedirectedInStream, redirectInStream } from "./fd.js";

/** A descriptor, or a file that no descriptor names, with what policies ask for. */
interface Subject {
  readonly descriptor: StreamDescriptor | undefined;
  readonly file: StreamFile | undefined;
  readonly text: string;
}

/** Applies the policies of a recipe to a stream; see planPolicies. */
export function planStreamPolicies(policies: readonly Policy[], draft: StreamDraft): number {
  if (policies.length === 0) return 0;
  let matches = 0;
  const find = policyFinder(policies);
  const edits = new Map(policies.map((policy) => [policy, { kind: "policy", text: policyText(policy) }]));
  const redirections = new Map<string, { policy: Policy; members: RedirectedInStream[] }>();
  const withDescriptor = new Set<StreamFile>();
  const done = new Set<StreamFile>();
  for (const descriptor of streamDescriptors(draft)) {
    if (draft.isDropped(descriptor.index)) continue;
    const objref = fileRefOf(draft, descriptor);
    const file = streamFile(draft, objref);
    if (file !== undefined) withDescriptor.add(file);
    const type = typeOf(draft, objref);
    const path = pathOf(draft, file);
    const policy = find({ pid: descriptor.pids[0] ?? 0, fd: descriptor.fd, type, path });
    if (policy === undefined) continue;
    matches++;
    if (policy.action === "ignore") continue;
    const edit = edits.get(policy) as Edit;
    if (policy.action === "reopen" && policy.to !== undefined) {
      const key = `${objref} ${policies.indexOf(policy)}`;
      const group = redirections.get(key) ?? { policy, members: [] };
      redirections.set(key, group);
      group.members.push({ edit, descriptor });
    } else {
      const text = `descriptor ${descriptorText(descriptor)} (${type}${path === undefined ? "" : ` ${path}`})`;
      act(draft, policy, edit, { descriptor, file: path === undefined ? undefined : file, text }, done);
    }
  }
  for (const { policy, members } of redirections.values())
    redirectInStream(draft, members, { ...parseRedirection(policy.to as string), append: policy.append });
  for (const file of streamFiles(draft)) {
    const path = pathOf(draft, file);
    if (withDescriptor.has(file) || path === undefined) continue;
    const policy = find({ pid: 0, fd: -1, type: "REG", path });
    if (policy === undefined) continue;
    matches++;
    if (policy.action !== "ignore")
      act(draft, policy, edits.get(policy) as Edit, { descriptor: undefined, file, text: path }, done);
  }
  return matches;
}

function typeOf(draft: StreamDraft, objref: number): string {
  return draft.document.checkpoint.files.get(objref)?.type ?? "unknown";
}

function act(draft: StreamDraft, policy: Policy, edit: Edit, subject: Subject, done: Set<StreamFile>): void {
  const { descriptor, file, text } = subject;
  if (policy.action === "error")
    throw new EditError(`a policy refuses ${text}: ${edit.text}`, { file: draft.image.name });
  if (policy.action === "drop") {
    if (descriptor !== undefined) dropFromStream(draft, edit, descriptor);
    else if (file !== undefined)
      draft.leave(edit, {
        image: draft.name,
        record: file.index,
        field: "",
        value: text,
        why: "no descriptor names it: a mapping or a program needs it",
      });
    return;
  }
  if (file?.name === undefined)
    throw new UsageError(
      `${policy.action} applies to files only, not to ${text}; use drop, ignore, or reopen with \`to\``,
    );
  if (done.has(file)) return;
  done.add(file);
  const opened = draft.checkpoint.files.get(file.objref);
  if (policy.action === "accept") acceptAsItIs(draft, edit, opened as OpenFile);
  else if (policy.action === "reopen") dropChecks(draft, edit, opened as OpenFile);
  else draft.setText(edit, file.name, policyPath(draft.text(file.name), policy.to as string));
}
