import { IMAGES } from "../../src/formats/criu/images.js";
import type { VmaEntry } from "../../src/formats/criu/tables/mm.js";
import type { CriuDocument } from "../../src/model/document.js";
import { openFileSet } from "../../src/open.js";
import type { SetBuilder } from "./build-set.js";
import { chain, entries, PAGE, type RunSpec } from "./memory-set.js";
import { oneTaskSet, PID, VMA } from "./one-task-set.js";

/** A task with these mappings (without any, one of 64 pages at `BASE`) and these stored pages. */
export function memorySet(
  runs: readonly RunSpec[],
  pages: Buffer,
  vmas: readonly VmaEntry[] = [VMA],
): SetBuilder {
  const builder = oneTaskSet({ mm: { vmas: [...vmas] } });
  builder.image(IMAGES.PAGEMAP, PID, [{ pages_id: 1 }, ...entries(runs)]);
  builder.files.set("pages-1.img", pages);
  return builder;
}

/** Sets as an incremental chain: the first is the opened one, each next its parent. */
export function memoryDocument(...sets: readonly SetBuilder[]): CriuDocument {
  return openFileSet(chain(...sets).fileSet);
}

/** Pages of zeros in which texts stand at some offsets. */
export function pagesWith(count: number, texts: Readonly<Record<number, string | Buffer>>): Buffer {
  const bytes = Buffer.alloc(count * PAGE);
  for (const [offset, text] of Object.entries(texts)) Buffer.from(text as string).copy(bytes, Number(offset));
  return bytes;
}
