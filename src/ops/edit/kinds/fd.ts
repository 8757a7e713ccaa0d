import { UnsupportedError, UsageError } from "../../../io/errors.js";
import { O_ACCMODE, O_APPEND, O_RDWR } from "../../../linux/open-flags.js";
import type { Editor, Redirected } from "../editor.js";
import {
  type DescriptorName,
  descriptorsText,
  descriptorText,
  firstOf,
  type HeldDescriptor,
  parseDescriptorName,
} from "../held-files.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { fileOf, release } from "../release.js";

/** What a descriptor becomes. */
interface Redirection {
  readonly path: string;
  readonly append: boolean;
}

interface FdEdit extends Redirection {
  readonly name: DescriptorName;
}

/**
 * `--fd PID:N=PATH[,append]`: the descriptor becomes a regular file. Others that shared its open file keep that;
 * descriptors that shared one and are sent to one path share the new one.
 */
export const fd: EditKind<FdEdit> = {
  name: "fd",
  syntax: "PID:N=PATH[,append]",
  summary: "make a descriptor a regular file, whatever it was: a pipe, a terminal, a socket",
  parse(text) {
    const at = text.indexOf("=");
    if (at === -1) throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID:N=PATH)`);
    return { name: parseDescriptorName(text.slice(0, at)), ...parseRedirection(text.slice(at + 1)) };
  },
  lookedFor: ({ name }) => `task ${name.pid} has no descriptor ${name.fd}`,
  plan(edits, editor) {
    redirect(
      editor,
      edits.flatMap(({ edit, args }) => {
        const descriptor = editor.held.named(args.name);
        return descriptor === undefined ? [] : [{ edit, descriptor, to: args }];
      }),
    );
  },
};

/** Reads `PATH[,append]`. Errors: USAGE. */
export function parseRedirection(text: string): Redirection {
  const append = text.endsWith(",append");
  const path = append ? text.slice(0, -",append".length) : text;
  if (!path.startsWith("/") || path.length < 2 || path.includes("\0") || path.endsWith("/"))
    throw new UsageError(`invalid path ${JSON.stringify(path)} (expected the absolute path of a file)`);
  return { path, append };
}

/** Sends descriptors to new files: those that share one file and are sent to one path share the new one. */
export function redirect(editor: Editor, all: readonly (Redirected & { readonly to: Redirection })[]): void {
  const groups = new Map<string, { readonly to: Redirection; readonly members: Redirected[] }>();
  for (const { edit, descriptor, to } of all) {
    const key = [descriptor.type, descriptor.fileId, to.append, to.path].join(" ");
    const group = groups.get(key) ?? { to, members: [] };
    groups.set(key, group);
    group.members.push({ edit, descriptor });
  }
  for (const { to, members } of groups.values()) redirectShared(editor, members, to);
}

/** Opened as the old file was, from the start; without size, mode and build id the restore takes any file. */
function redirectShared(editor: Editor, members: readonly Redirected[], { path, append }: Redirection): void {
  const [{ edit }] = members as [Redirected];
  if (append && editor.checkpoint.architecture.startsWith("mips"))
    throw new UnsupportedError("mips has flags of its own for open files, so ,append cannot be set there");
  const descriptors = members.map(({ descriptor }) => descriptor);
  const files = descriptors.map((each) => fileOf(editor, each));
  const [old] = files as [(typeof files)[number]];
  const sent = new Set(descriptors);
  const others = editor.held.holders(old).filter((each) => !sent.has(each));
  for (const each of descriptors) noteSharing(editor, each, others);
  release(editor, edit, descriptors, () =>
    editor.openFor(members, path, ((old.flags ?? O_RDWR) & O_ACCMODE) | (append ? O_APPEND : 0)),
  );
  for (const each of descriptors) changeStandardStream(editor, edit, each, path);
  editor.notes.add(`${descriptorsText(descriptors)} will be ${path}: the file must exist at the restore`);
}

/** runc and crun keep what descriptors 0 to 2 of the first task are, to give it the same pipes again. */
export function changeStandardStream(
  editor: Editor,
  edit: Edit,
  { pids, fd: number }: HeldDescriptor,
  to: string,
): void {
  if (number > 2) return;
  const first = editor.checkpoint.tasks.find(({ ppid }) => ppid === 0);
  if (first === undefined || !pids.includes(first.pid)) return;
  editor.changeFacts("stdio", ({ field }) => (field === `[${number}]` ? { edit, value: to } : undefined));
}

function noteSharing(editor: Editor, descriptor: HeldDescriptor, others: readonly HeldDescriptor[]): void {
  const { pids, fd: number } = descriptor;
  if (others.length > 0)
    editor.notes.add(
      `${descriptorText(descriptor)} shared its open file with ${descriptorsText(others)}; those keep it`,
    );
  if (pids.length > 1)
    editor.notes.add(
      `tasks ${firstOf(pids, ", ")} have one table of descriptors, so descriptor ${number} changes for all of them`,
    );
}
