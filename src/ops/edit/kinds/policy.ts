import { EditError, UsageError } from "../../../io/errors.js";
import type { OpenFile } from "../../../model/open-file.js";
import { type Policy, policyFinder } from "../../../model/policy.js";
import {
  descriptionOf,
  descriptors,
  type FoundDescription,
  type FoundDescriptor,
  typeOf,
} from "../descriptors.js";
import type { Draft } from "../draft.js";
import type { Edit } from "../plan.js";
import { policyPath, policyText } from "../policy-text.js";
import { type FoundFile, regFileOf, regFiles } from "../reg-files.js";
import { acceptAsItIs, dropChecks } from "./accept-file.js";
import { dropDescriptor } from "./drop-fd.js";
import { parseRedirection, type Redirected, redirect } from "./fd.js";
import { nameOf } from "./release.js";

/** A descriptor, or a file that no descriptor names (mapped, executed, a directory), with what policies ask for. */
interface Subject {
  readonly descriptor: FoundDescriptor | undefined;
  readonly description: FoundDescription | undefined;
  readonly file: FoundFile | undefined;
  readonly text: string;
}

/**
 * Applies the policies of a recipe: for each descriptor, and each file without one, the first that matches. Gives how
 * many matched. Errors: EDIT when an `error` policy matches.
 */
export function planPolicies(policies: readonly Policy[], draft: Draft): number {
  if (policies.length === 0) return 0;
  let matches = 0;
  const find = policyFinder(policies);
  const edits = new Map(policies.map((policy) => [policy, { kind: "policy", text: policyText(policy) }]));
  const redirections = new Map<string, { policy: Policy; members: Redirected[] }>();
  const withDescriptor = new Set<number>();
  const done = new Set<FoundFile>();
  for (const descriptor of [...descriptors(draft)]) {
    const subject = subjectOf(draft, descriptor);
    if (subject.file !== undefined) withDescriptor.add(subject.file.value.id);
    const policy = find({
      pid: descriptor.pids[0] as number,
      fd: descriptor.value.fd,
      type: typeOf(descriptor),
      path: subject.file?.value.name,
    });
    if (policy === undefined) continue;
    matches++;
    if (policy.action === "ignore") continue;
    if (policy.action === "reopen" && policy.to !== undefined) {
      const key = `${typeOf(descriptor)}:${descriptor.value.id} ${policies.indexOf(policy)}`;
      const group = redirections.get(key) ?? { policy, members: [] };
      redirections.set(key, group);
      group.members.push({ edit: edits.get(policy) as Edit, descriptor });
    } else act(draft, policy, edits.get(policy) as Edit, subject, done);
  }
  for (const { policy, members } of redirections.values())
    redirect(draft, members, { ...parseRedirection(policy.to as string), append: policy.append });
  for (const file of regFiles(draft)) {
    if (withDescriptor.has(file.value.id) || file.value.ext === true) continue;
    const policy = find({ pid: 0, fd: -1, type: "REG", path: file.value.name });
    if (policy === undefined) continue;
    matches++;
    if (policy.action !== "ignore") act(draft, policy, edits.get(policy) as Edit, fileSubject(file), done);
  }
  return matches;
}

function act(draft: Draft, policy: Policy, edit: Edit, subject: Subject, done: Set<FoundFile>): void {
  const { descriptor, file } = subject;
  if (policy.action === "error")
    throw new EditError(`a policy refuses ${subject.text}: ${edit.text}`, { file: draft.set.name });
  if (policy.action === "drop") {
    if (descriptor !== undefined) dropDescriptor(draft, edit, descriptor);
    else leaveWithoutDescriptor(draft, edit, subject);
    return;
  }
  if (file === undefined)
    throw new UsageError(
      `${policy.action} applies to files only, not to ${subject.text}; use drop, ignore, or reopen with \`to\``,
    );
  if (done.has(file)) return;
  done.add(file);
  const opened = draft.checkpoint.files.get(file.value.id, "REG");
  if (policy.action === "accept") acceptAsItIs(draft, edit, opened as OpenFile);
  else if (policy.action === "reopen") dropChecks(draft, edit, opened as OpenFile);
  else
    draft.change(
      edit,
      file.image,
      file.record,
      [...file.path, "name"],
      policyPath(file.value.name, policy.to as string),
    );
}

function subjectOf(draft: Draft, descriptor: FoundDescriptor): Subject {
  const description = descriptionOf(draft, typeOf(descriptor), descriptor.value.id);
  const node = description?.type === "REG" ? description.id : description?.value.regf_id;
  const file = typeof node === "number" ? regFileOf(draft, node) : undefined;
  const text = `descriptor ${nameOf(descriptor)} (${typeOf(descriptor)}${file === undefined ? "" : ` ${file.value.name}`})`;
  return { descriptor, description, file: file?.value.ext === true ? undefined : file, text };
}

function fileSubject(file: FoundFile): Subject {
  return { descriptor: undefined, description: undefined, file, text: file.value.name };
}

function leaveWithoutDescriptor(draft: Draft, edit: Edit, { file, text }: Subject): void {
  if (file === undefined) return;
  draft.leave(edit, {
    image: file.image.fileName,
    record: file.record.index,
    field: [...file.path, "name"].join("."),
    value: text,
    why: "no descriptor names it: a mapping or a task's directory needs it",
  });
}
