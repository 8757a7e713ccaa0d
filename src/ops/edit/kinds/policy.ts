import { EditError, UsageError } from "../../../io/errors.js";
import type { OpenFile } from "../../../model/open-file.js";
import { type Policy, policyFinder } from "../../../model/policy.js";
import type { Editor } from "../editor.js";
import { descriptorText, type HeldDescriptor } from "../held-files.js";
import type { Edit } from "../plan.js";
import { acceptAsItIs, dropChecks } from "./accept-file.js";
import { dropDescriptor } from "./drop-fd.js";
import { parseRedirection, redirect } from "./fd.js";

/** A descriptor, or a file that no descriptor names (mapped, executed, a directory), with what policies ask for. */
interface Subject {
  readonly descriptor: HeldDescriptor | undefined;
  /** What has its path. */
  readonly file: OpenFile | undefined;
  readonly text: string;
}

/**
 * Applies the policies of a recipe: for each descriptor, and each file without one, the first that matches. Gives how
 * many matched. Errors: EDIT when an `error` policy matches.
 */
export function planPolicies(policies: readonly Policy[], editor: Editor): number {
  if (policies.length === 0) return 0;
  let matches = 0;
  const find = policyFinder(policies);
  const redirections: Parameters<typeof redirect>[1][number][] = [];
  const done = new Set<OpenFile>();
  const act = (policy: Policy | undefined, subject: Subject): void => {
    if (policy === undefined) return;
    matches++;
    if (policy.action !== "ignore") apply(editor, policy, policyEdit(policy), subject, done);
  };
  const files = filesWithPath(editor);
  for (const descriptor of editor.held.all) {
    const { pids, fd, type } = descriptor;
    const file = descriptor.file?.node;
    if (file !== undefined) files.delete(placeOf(file));
    // An edit goes before all policies.
    if (!editor.held.isUnchanged(descriptor)) continue;
    const policy = find({ pid: pids[0] as number, fd, type, path: file?.path });
    if (policy?.action === "reopen" && policy.to !== undefined) {
      matches++;
      const to = { ...parseRedirection(policy.to), append: policy.append };
      redirections.push({ edit: policyEdit(policy), descriptor, to });
    } else {
      const text = `descriptor ${descriptorText(descriptor)} (${type}${file === undefined ? "" : ` ${file.path}`})`;
      act(policy, { descriptor, file, text });
    }
  }
  redirect(editor, redirections);
  for (const file of files.values()) {
    const { path = "" } = file;
    act(find({ pid: 0, fd: -1, type: "REG", path }), { descriptor: undefined, file, text: path });
  }
  return matches;
}

/** Open files with a path, and directories of tasks, by where they stand. */
function filesWithPath(editor: Editor): Map<string, OpenFile> {
  const { tasks, deletedFiles } = editor.checkpoint;
  const directories = tasks.flatMap(({ cwd, root }) => [cwd, root]);
  const all = [...editor.held.files.all.filter((file) => file.node === file), ...directories];
  const found = new Map(all.flatMap((file) => (file?.path === undefined ? [] : [[placeOf(file), file]])));
  for (const { keptFile } of deletedFiles) if (keptFile !== undefined) found.delete(placeOf(keptFile));
  return found;
}

function placeOf({ origin }: OpenFile): string {
  return `${origin.image} ${origin.record}`;
}

function apply(editor: Editor, policy: Policy, edit: Edit, subject: Subject, done: Set<OpenFile>): void {
  const { descriptor, file, text } = subject;
  if (policy.action === "error")
    throw new EditError(`a policy refuses ${text}: ${edit.text}`, { file: editor.name });
  if (policy.action === "drop") {
    if (descriptor !== undefined) dropDescriptor(editor, edit, descriptor);
    else if (file !== undefined) leaveWithoutDescriptor(editor, edit, file);
    return;
  }
  const path = file && editor.pathOf(file);
  if (file === undefined || path === undefined)
    throw new UsageError(
      `${policy.action} applies to files only, not to ${text}; use drop, ignore, or reopen with \`to\``,
    );
  if (done.has(file)) return;
  done.add(file);
  if (policy.action === "accept") acceptAsItIs(editor, edit, file);
  else if (policy.action === "reopen") dropChecks(editor, edit, file);
  else editor.changePath(edit, path, policyPath(path.text, policy.to as string));
}

function leaveWithoutDescriptor(editor: Editor, edit: Edit, file: OpenFile): void {
  const path = editor.pathOf(file);
  editor.leave(edit, {
    image: editor.imageOf(file.origin),
    record: (path ?? file).origin.record,
    field: path === undefined ? "" : editor.fieldOf(path),
    value: file.path,
    why: "no descriptor names it: a mapping or a task's directory needs it",
  });
}

const edits = new WeakMap<Policy, Edit>();

/** What a policy does as an edit, the same for each policy; its text is for people: `path=/tmp/** drop`. */
export function policyEdit(policy: Policy): Edit {
  const edit = edits.get(policy) ?? { kind: "policy", text: policyText(policy) };
  edits.set(policy, edit);
  return edit;
}

function policyText({ path, type, fd, action, to, append }: Policy): string {
  const which = [path && `path=${path}`, type && `type=${type}`, fd && `fd=${fd}`].filter(Boolean).join(" ");
  return `${which} ${action}${to === undefined ? "" : ` to ${to}`}${append ? ",append" : ""}`;
}

/** `to` that ends in a slash is a directory: the file keeps its own name in it. Errors: USAGE. */
function policyPath(path: string, to: string): string {
  if (!to.startsWith("/"))
    throw new UsageError(`invalid path ${JSON.stringify(to)} (expected an absolute path)`);
  return to.endsWith("/") ? to + path.slice(path.lastIndexOf("/") + 1) : to;
}
