import type { Part } from "../../../formats/linux-cr/part.js";
import type { RecordValue } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { isSince } from "../../../formats/linux-cr/revisions.js";
import { VMA_TYPE } from "../../../formats/linux-cr/tables/memory.js";
import { hex } from "../../../io/hex.js";
import { VM_HUGEPAGE, VM_HUGETLB, VM_LOCKONFAULT, VM_NORESERVE, VM_WIPEONFORK } from "../../../linux/mman.js";
import type { Found, Rule } from "../finding.js";
import { recordsByKind, type StreamContext } from "./context.js";
import { AGAIN, recordRule, SET_FIELD } from "./record-rule.js";

type Vma = RecordValue<typeof RECORDS.VMA>;
/** VM_PFNMAP, IO, RESERVED, NORESERVE, NONLINEAR, MAPPED_COPY, INSERTPAGE, MIXEDMAP and SAO of Linux 2.6.3x. */
const REFUSED =
  0x400n |
  0x4000n |
  0x8_0000n |
  0x20_0000n |
  0x80_0000n |
  0x100_0000n |
  0x200_0000n |
  0x1000_0000n |
  0x2000_0000n;
/** What newer kernels have given some of these bits, as streams of crimg's own hold them: both ways back restore it. */
const GIVEN_AGAIN = VM_NORESERVE | VM_HUGEPAGE | VM_WIPEONFORK | VM_LOCKONFAULT;
/** What each type refers to, and whether it is shared memory. */
const TYPES: ReadonlyMap<number, { readonly file: boolean; readonly inode: boolean }> = new Map([
  [VMA_TYPE.vdso, { file: false, inode: false }],
  [VMA_TYPE.anonymous, { file: false, inode: false }],
  [VMA_TYPE.privateFile, { file: true, inode: false }],
  [VMA_TYPE.sharedAnonymous, { file: false, inode: true }],
  [VMA_TYPE.sharedAnonymousAgain, { file: false, inode: true }],
  [VMA_TYPE.sharedFile, { file: true, inode: true }],
  [VMA_TYPE.sysV, { file: false, inode: true }],
  [VMA_TYPE.sysVAgain, { file: false, inode: true }],
]);

/** VMA_EXTRA.kind */
const VDSO_KIND = 1;

/** Rules about VMAs as a stream stores them; those about saved pages are in `pages.ts`. */
export const memoryRules: readonly Rule<StreamContext>[] = [
  recordRule(
    RECORDS.MM,
    {
      id: "MM_VECTOR",
      level: "error",
      about: "The auxiliary vector has the size that HEADER gives.",
      fix: AGAIN,
    },
    function* (_, index, context) {
      const buffer = context.bufferAfter(index);
      const constants = context.each(RECORDS.HEADER).next().value?.value.constants as
        | { readonly at_vector_size?: number; readonly mm_saved_auxv_len?: number }
        | undefined;
      const expected = constants?.mm_saved_auxv_len ?? (constants?.at_vector_size ?? 0) * 8;
      if (buffer === undefined || expected === 0) return;
      const { size } = context.stream.payload(buffer);
      if (size !== expected)
        yield { what: "a vector of another size", expected: `${expected} bytes`, found: `${size} bytes` };
    },
  ),
  recordRule(
    RECORDS.VMA,
    {
      id: "VMA_TYPE",
      level: "error",
      about: "A VMA has a file and an inode when its type needs them.",
      fix: SET_FIELD,
    },
    function* ({ vma_type, vma_objref, ino_objref }) {
      const type = TYPES.get(vma_type);
      if (type === undefined) return;
      if (type.file !== vma_objref > 0)
        yield {
          field: "vma_objref",
          what: type.file ? "a VMA of a file without its file" : "a file at a VMA that has none",
          expected: type.file ? "a FILE" : "0",
          found: String(vma_objref),
        };
      // A memfd that is mapped privately keeps its inode.
      if (type.inode !== ino_objref > 0 && (type.inode || !type.file))
        yield {
          field: "ino_objref",
          what: type.inode ? "shared memory without its inode" : "an inode at a VMA that has none",
          expected: type.inode ? "above 0" : "0",
          found: String(ino_objref),
        };
    },
  ),
  recordRule(
    RECORDS.VMA,
    {
      id: "VMA_FLAGS",
      level: "error",
      about:
        "A VMA is none that the format cannot hold: of a device, of huge pages before v23-rc2, without reserve.",
      fix: "Nothing restores such a VMA from this format; a CRIU set holds it.",
    },
    function* ({ vma_type, vm_flags }, _, context) {
      const huge = isSince(context.stream.dialect.commit, "1fd8e6e") ? 0n : VM_HUGETLB;
      const isOurs = context.share(recordsByKind).has(RECORDS.EXTENSIONS);
      const refused = vm_flags & (REFUSED | huge) & ~(isOurs ? GIVEN_AGAIN : 0n);
      if (vma_type <= VMA_TYPE.vdso || refused === 0n) return;
      yield {
        field: "vm_flags",
        what: isOurs ? "flags that kernels with this format refuse" : "flags that a restart refuses",
        found: hex(refused),
        level: isOurs ? "warning" : "error",
      };
    },
  ),
  {
    id: "VMA_CONTENTS",
    level: "error",
    about:
      "The first VMA of a piece of shared memory has its contents (type 4), the others name it (5); those of System V name a segment of the stream.",
    fix: SET_FIELD,
    check: sharedMemory,
  },
  {
    id: "VMA_VDSO",
    level: "error",
    about: "The vDSO is where MM_CONTEXT says.",
    fix: SET_FIELD,
    *check(context) {
      for (const mm of context.reader.objects("MM")) {
        const fields = context.reader.find(mm, RECORDS.MM_CONTEXT)?.value as
          | { readonly vdso?: bigint; readonly vdso_base?: bigint }
          | undefined;
        const expected = fields?.vdso ?? fields?.vdso_base;
        if (expected === undefined) continue;
        for (const [index, { vma_type, vm_start }] of vmasOf(context, mm))
          if (vma_type === VMA_TYPE.vdso && vm_start !== expected)
            yield {
              at: context.at(index, { field: "vm_start" }),
              what: "the vDSO is elsewhere than MM_CONTEXT says",
              expected: hex(expected),
              found: hex(vm_start),
            };
      }
    },
  },
  recordRule(
    RECORDS.VMA_EXTRA,
    {
      id: "VMA_KIND",
      level: "error",
      about: "VMA_EXTRA stands behind its VMA, and says that it is the vDSO exactly where the VMA does.",
      fix: SET_FIELD,
    },
    function* ({ kind }, index, context) {
      const type = context.valueAt(index - 1, RECORDS.VMA)?.vma_type;
      if (type === undefined)
        yield { field: "kind", what: "VMA_EXTRA without its VMA", expected: "VMA before it" };
      else if ((kind === VDSO_KIND) !== (type === VMA_TYPE.vdso))
        yield {
          field: "kind",
          what: "another kind than the type of the VMA",
          expected: type === VMA_TYPE.vdso ? String(VDSO_KIND) : "0, 2 or 3",
          found: String(kind),
        };
    },
  ),
];

function* sharedMemory(context: StreamContext): Generator<Found> {
  const segments = new Set([...context.each(RECORDS.IPC_SHM)].map(({ value }) => value.objref));
  const known = new Map<number, number>();
  for (const { index, value } of context.each(RECORDS.VMA)) {
    const { vma_type: type, ino_objref: inode } = value;
    const at = context.at(index, { field: "ino_objref" });
    if (type === VMA_TYPE.sharedAnonymous || type === VMA_TYPE.sharedAnonymousAgain) {
      const first = known.get(inode);
      if (type === VMA_TYPE.sharedAnonymous && first !== undefined)
        yield {
          at,
          what: "shared memory whose contents stand in the stream twice",
          found: `inode ${inode}, record ${first}`,
        };
      if (type === VMA_TYPE.sharedAnonymousAgain && first === undefined)
        yield { at, what: "shared memory whose contents no VMA before it has", found: `inode ${inode}` };
      if (first === undefined) known.set(inode, index);
    }
    if ((type === VMA_TYPE.sysV || type === VMA_TYPE.sysVAgain) && !segments.has(inode))
      yield {
        at,
        what: "no segment of the stream",
        expected: "the objref of an IPC_SHM",
        found: String(inode),
      };
  }
}

/** The VMAs of an address space with their records. */
export function* vmasOf(context: StreamContext, mm: Part): Generator<[record: number, vma: Vma, part: Part]> {
  for (const part of mm.parts) {
    const index = part.rule === "vma" ? part.records[0] : undefined;
    const vma = context.valueAt(index, RECORDS.VMA);
    if (index !== undefined && vma !== undefined) yield [index, vma, part];
  }
}
