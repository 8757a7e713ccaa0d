import type { Editor } from "../editor.js";
import { type DescriptorName, type HeldDescriptor, parseDescriptorName } from "../held-files.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { fileOf, release } from "../release.js";
import { changeStandardStream } from "./fd.js";

/** `--drop-fd PID:N`: as if the program had closed the descriptor. */
export const dropFd: EditKind<DescriptorName> = {
  name: "drop-fd",
  syntax: "PID:N",
  summary: "close a descriptor; what nothing else holds goes with it",
  parse: parseDescriptorName,
  lookedFor: ({ pid, fd }) => `task ${pid} has no descriptor ${fd}`,
  plan(edits, editor) {
    for (const { edit, args } of edits) {
      const descriptor = editor.held.named(args);
      if (descriptor !== undefined) dropDescriptor(editor, edit, descriptor);
    }
  },
};

/** Takes the descriptor out of its table and lets go of its file; one that names none is taken out as well. */
export function dropDescriptor(editor: Editor, edit: Edit, descriptor: HeldDescriptor): void {
  const drop = (): void => {
    editor.held.close(descriptor);
    editor.dropDescriptor(edit, descriptor);
    changeStandardStream(editor, edit, descriptor, "/dev/null");
  };
  if (descriptor.file === undefined) drop();
  else {
    fileOf(editor, descriptor);
    release(editor, edit, [descriptor], drop);
  }
}
