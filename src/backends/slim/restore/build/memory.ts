import { assertSameVdso, buildVma, describeMemory, mapVdso } from "../memory.js";
import type { MemoryStep } from "../plan/memory.js";
import type { Builders } from "./builders.js";

export const MEMORY: Builders<MemoryStep> = {
  vdso(context, { task, memory }) {
    const { remote } = context.task(task);
    const { vmas } = context.image.memory(memory);
    mapVdso(remote, vmas);
    assertSameVdso(remote, vmas, context.imageFd);
  },
  vma(context, { task, vma }) {
    const { remote, transfer } = context.task(task);
    buildVma(remote, transfer, vma, {
      image: context.imageFd,
      file: (objref) => context.files.get(objref),
      shared: (objref) => context.shared.get(remote, objref),
      segment: (each) => context.shared.segment(each),
      reserved: context.ids,
      onFilled: (bytes) => context.filled(bytes),
    });
  },
  "describe memory"(context, { task, memory }) {
    const { remote, transfer } = context.task(task);
    const described = context.image.memory(memory);
    transfer.lend(context.files.get(described.mm.exe_objref), (exe) =>
      describeMemory(remote, described, exe),
    );
  },
  "detach segments": ({ shared }) => shared.detachSegments(),
  seals: ({ files }) => files.seal(),
};
