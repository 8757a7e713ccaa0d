import {
  type DescriptorName,
  descriptionOf,
  descriptorNamed,
  type FoundDescriptor,
  holdersOf,
  parseDescriptorName,
  typeOf,
} from "../descriptors.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";
import type { Edit } from "../plan.js";
import { release } from "./release.js";

/** `--drop-fd PID:N`: as if the program had closed the descriptor. */
export const dropFd: EditKind<DescriptorName, Draft> = {
  name: "drop-fd",
  syntax: "PID:N",
  summary: "close a descriptor; what nothing else holds goes with it",
  parse: parseDescriptorName,
  lookedFor: ({ pid, fd }) => `task ${pid} has no descriptor ${fd}`,
  plan(edits, draft) {
    for (const { edit, args } of edits) {
      const descriptor = descriptorNamed(draft, args);
      if (descriptor !== undefined) dropDescriptor(draft, edit, descriptor);
    }
  },
};

/** Takes the descriptor out of its table and lets go of what it named. */
export function dropDescriptor(draft: Draft, edit: Edit, descriptor: FoundDescriptor): void {
  const type = typeOf(descriptor);
  const { id } = descriptor.value;
  draft.drop(edit, descriptor.image, descriptor.record);
  release(draft, {
    edit,
    description: descriptionOf(draft, type, id),
    descriptors: [descriptor],
    others: holdersOf(draft, type, id),
    isReused: false,
  });
}
