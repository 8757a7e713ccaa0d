import type { Part } from "../../formats/linux-cr/parse.js";
import type { RecordValue } from "../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../formats/linux-cr/records.js";
import { VM_EXEC, VM_GROWSDOWN, VM_READ, VM_SHARED, VM_WRITE } from "../../linux/mman.js";
import type { Mapping, MappingKind, MemoryDescriptor } from "../checkpoint.js";
import type { FileTable, OpenFile } from "../open-file.js";
import type { StreamReader } from "./reader.js";
import { pageSizeOf } from "./saved-pages.js";
import type { Segments } from "./segments.js";

/** What vma_type says a mapping is. */
const KINDS: Readonly<Record<number, MappingKind>> = {
  1: "vdso",
  3: "file",
  4: "shared anonymous",
  5: "shared anonymous",
  6: "file",
  7: "SysV",
  8: "SysV",
};

/** The marks of an MM. */
export function decodeMm(reader: StreamReader, part: Part): MemoryDescriptor {
  const { index, value: mm } = reader.get(part, RECORDS.MM);
  return {
    code: { start: mm.start_code, end: mm.end_code },
    data: { start: mm.start_data, end: mm.end_data },
    heap: { start: mm.start_brk, end: mm.brk },
    argv: { start: mm.arg_start, end: mm.arg_end },
    environ: { start: mm.env_start, end: mm.env_end },
    startStack: mm.start_stack,
    origin: reader.origin(index),
  };
}

/** The same fields of the record. */
export function encodeMm({ code, data, heap, argv, environ, startStack }: MemoryDescriptor) {
  return {
    ...{ start_code: code.start, end_code: code.end, start_data: data.start, end_data: data.end },
    ...{ start_brk: heap.start, brk: heap.end, start_stack: startStack },
    ...{ arg_start: argv.start, arg_end: argv.end, env_start: environ.start, env_end: environ.end },
  };
}

/** The mappings of an address space, ascending. */
export function linuxCrMappings(
  reader: StreamReader,
  mm: Part,
  files: FileTable,
  segments: Segments,
): Mapping[] {
  const { value } = reader.get(mm, RECORDS.MM);
  const pageSize = BigInt(pageSizeOf(reader));
  return mm.parts.map((part) => {
    const { index, value: vma } = reader.get(part, RECORDS.VMA);
    const extra = reader.find(part, RECORDS.VMA_EXTRA);
    const file = vma.vma_objref > 0 ? files.get(vma.vma_objref) : undefined;
    const kind = kindOf(vma.vma_type, extra?.value.kind ?? 0, file);
    const bit = (mask: bigint, letter: string): string => ((vma.vm_flags & mask) === 0n ? "-" : letter);
    const shared = (vma.vm_flags & VM_SHARED) !== 0n;
    return {
      start: vma.vm_start,
      end: vma.vm_end,
      permissions: `${bit(VM_READ, "r")}${bit(VM_WRITE, "w")}${bit(VM_EXEC, "x")}${shared ? "s" : "p"}`,
      shared,
      kind,
      file,
      // Private anonymous memory has an offset too, which nothing uses.
      offset: vma.vma_type === 2 ? 0n : vma.vm_pgoff * pageSize,
      shmid: vma.ino_objref > 0 ? BigInt(vma.ino_objref) : undefined,
      name: (extra && reader.image.text(extra.index)) || nameOf(kind, vma, file, value, segments),
      origin: reader.origin(index),
    };
  });
}

/** VMA_EXTRA.kind of areas that the kernel places, 0 for all others. */
const KERNEL_KINDS: readonly (MappingKind | undefined)[] = [undefined, "vdso", "vvar", "vsyscall"];

function kindOf(type: number, kernelKind: number, file: OpenFile | undefined): MappingKind {
  if (file?.type === "MEMFD") return "memfd";
  return KERNEL_KINDS[kernelKind] ?? KINDS[type] ?? "anonymous";
}

function nameOf(
  kind: MappingKind,
  vma: RecordValue<typeof RECORDS.VMA>,
  file: OpenFile | undefined,
  mm: RecordValue<typeof RECORDS.MM>,
  segments: Segments,
): string {
  if (file !== undefined) return file.label;
  if (kind === "vdso") return "[vdso]";
  if (kind === "SysV") return `[SysV ${segments.idOf(vma.ino_objref) ?? vma.ino_objref}]`;
  if (vma.vm_start <= mm.brk && mm.start_brk <= vma.vm_end && mm.brk > mm.start_brk && vma.vma_type === 2)
    return "[heap]";
  const isStack = vma.vm_start <= mm.start_stack && mm.start_stack < vma.vm_end;
  return isStack || (vma.vm_flags & VM_GROWSDOWN) !== 0n ? "[stack]" : "";
}
