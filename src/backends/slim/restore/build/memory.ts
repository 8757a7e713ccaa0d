import { assertSameVdso, buildArea, describeMemory, mapVdso } from "../memory.js";
import type { MemoryStep } from "../plan/memory.js";
import type { Builders } from "./builders.js";

export const MEMORY: Builders<MemoryStep> = {
  vdso(work, { task, memory }) {
    const { bench } = work.site(task);
    const { areas } = work.image.memory(memory);
    mapVdso(bench, areas);
    assertSameVdso(bench, areas, work.imageFd);
  },
  area(work, { task, area }) {
    const { bench, handOver } = work.site(task);
    buildArea(bench, handOver, area, {
      image: work.imageFd,
      file: (objref) => work.files.get(objref),
      shared: (objref) => work.shared.get(bench, objref),
      segment: (each) => work.shared.segment(each),
      reserved: work.ids,
      onFilled: (bytes) => work.filled(bytes),
    });
  },
  "describe memory"(work, { task, memory }) {
    const { bench, handOver } = work.site(task);
    const described = work.image.memory(memory);
    handOver.lend(work.files.get(described.mm.exe_objref), (exe) => describeMemory(bench, described, exe));
  },
  "detach segments": ({ shared }) => shared.detachSegments(),
  seals: ({ files }) => files.seal(),
};
