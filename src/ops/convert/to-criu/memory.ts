import { IMAGES } from "../../../formats/criu/images.js";
import { MM_ENTRY } from "../../../formats/criu/tables/mm.js";
import type { Part } from "../../../formats/linux-cr/parse.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import { encodeMm } from "../../../model/criu/mappings.js";
import { decodeMm } from "../../../model/linux-cr/mappings.js";
import type { Process, ToCriu } from "./context.js";
import { mapping } from "./mappings.js";
import { PageRuns, writePages } from "./pages.js";

/** mm-PID.img and the private pages of a process. */
export function writeMemory(context: ToCriu, { ids, part }: Process, mm: Part): void {
  const { reader, set } = context;
  const { value } = reader.get(mm, RECORDS.MM);
  const extra = reader.find(part, RECORDS.TASK_EXTRA)?.value;
  const pages = new PageRuns(reader);
  const vmas = mm.parts.flatMap((each) => {
    const { vma_type: type } = reader.get(each, RECORDS.VMA).value;
    const entry = mapping(context, each, value);
    if (entry !== undefined && type !== SHARED_ANONYMOUS) pages.add(each, 1);
    return entry ?? [];
  });
  set.add(IMAGES.MM, ids.pid, MM_ENTRY, {
    ...encodeMm(decodeMm(reader, mm)),
    exe_file_id: context.fileId(value.exe_objref),
    mm_saved_auxv: auxvOf(context, mm),
    vmas,
    dumpable: Number(value.flags & DUMPABLE),
    aios: [],
    ...(extra === undefined ? {} : { thp_disabled: extra.thp_disabled === 1 }),
  });
  writePages(context, IMAGES.PAGEMAP, ids.pid, pages);
}

const SHARED_ANONYMOUS = 4;
/** The two low bits of the kernel's mm flags. */
const DUMPABLE = 3n;

/** The auxiliary vector up to its end, AT_NULL, as criu stores it. */
function auxvOf({ reader }: ToCriu, mm: Part): bigint[] {
  const { index } = reader.get(mm, RECORDS.BUFFER);
  const bytes = reader.image.bytes(index);
  const words: bigint[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const [type, value] = [bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8)];
    words.push(type, value);
    if (type === 0n) break;
  }
  return words;
}
