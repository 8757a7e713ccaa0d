import path from "node:path";
import type { Checkpoint } from "../checkpoint.js";
import { lazy } from "../lazy.js";
import { mappingAt } from "../mapping.js";
import type { StoredMemory, StoredPages } from "../memory.js";
import type { AddressRange } from "../origin.js";
import { type SegmentUse, segmentUses } from "../segment-uses.js";
import type { FilePiece, StoredContents } from "../stored-bytes.js";

/** Where bytes are: in which memory, queue or file, and in which file of the image. */
export interface Place {
  readonly in: "memory" | "shared memory" | StoredContents["kind"];
  /** Name of the mapping, file, socket or queue; empty for anonymous memory. */
  readonly name: string;
  /** Of memory. */
  readonly pid?: number | undefined;
  readonly comm?: string | undefined;
  readonly address?: bigint | undefined;
  readonly permissions?: string | undefined;
  /** What the kernel keeps there. */
  readonly area?: "arguments" | "environment" | undefined;
  /** Other tasks and addresses that show the same shared memory, the first 16. */
  readonly alsoAt?: readonly { readonly pid: number; readonly address: bigint }[];
  readonly segment?: number | undefined;
  /** In a segment, queue or file. */
  readonly offset?: bigint | undefined;
  readonly message?: number | undefined;
  /** File of the image and offset in it; of compressed memory the offset of its block. */
  readonly file?: string | undefined;
  readonly fileOffset?: number | undefined;
  readonly compressed?: true;
  /** Which parent set has it; 0 is the image itself. */
  readonly level?: number | undefined;
}

const MAX_OTHERS = 16;

/** Tells where bytes are. */
export class Places {
  readonly #uses: () => ReadonlyMap<number, readonly SegmentUse[]>;

  constructor(readonly checkpoint: Checkpoint) {
    this.#uses = lazy(() => segmentUses(checkpoint.tasks));
  }

  /** Of addresses in some stored memory. */
  ofMemory({ pid, segment }: StoredMemory, pages: StoredPages): (address: bigint) => Place {
    const task = pid === undefined ? undefined : this.checkpoint.task(pid);
    const mm = task?.mm;
    return (address) => {
      const stored = storedAt(pages, address);
      if (segment !== undefined) return { ...this.#inSegment(segment, address), ...stored };
      const mapping = task && mappingAt(task.mappings, address);
      return {
        in: "memory",
        ...{ pid, comm: task?.comm, address, name: mapping?.name ?? "", permissions: mapping?.permissions },
        area: has(mm?.environ, address) ? "environment" : has(mm?.argv, address) ? "arguments" : undefined,
        ...stored,
      };
    };
  }

  /** Of an offset in what a queue or file holds. */
  ofContents({ kind, name, message }: StoredContents, pieces: readonly FilePiece[], offset: number): Place {
    const piece = pieces[pieceAt(pieces, offset)];
    return {
      ...{ in: kind, name, message, offset: BigInt(offset) },
      file: piece && path.basename(piece.source.name),
      fileOffset: piece && piece.offset + offset - piece.at,
    };
  }

  #inSegment(segment: number, offset: bigint): Place {
    const shown = (this.#uses().get(segment) ?? []).flatMap((use) => {
      const address = use.start + offset - use.offset;
      return address >= use.start && address < use.end ? { ...use, address } : [];
    });
    const [first, ...others] = shown;
    const alsoAt = others.slice(0, MAX_OTHERS).map(({ pid, address }) => ({ pid, address }));
    return {
      in: "shared memory",
      ...{ pid: first?.pid, comm: first?.comm, address: first?.address, permissions: first?.permissions },
      ...{ name: first?.name ?? "", segment, offset },
      ...(alsoAt.length > 0 ? { alsoAt } : {}),
    };
  }
}

/** In which file of the image the byte at an address is; nothing for one that is in none. */
export function storedAt(
  pages: StoredPages,
  address: bigint,
): Pick<Place, "file" | "fileOffset" | "level" | "compressed"> {
  const location = pages.locate(address);
  if (location.where !== "file" && location.where !== "compressed") return {};
  const { file, offset, level, where } = location;
  const compressed = where === "compressed" ? { compressed: true as const } : {};
  return { file: path.basename(file), fileOffset: offset, level, ...compressed };
}

function has(range: AddressRange | undefined, address: bigint): boolean {
  return range !== undefined && range.start <= address && address < range.end;
}

/** Index of the last piece that begins at or before an offset. */
function pieceAt(pieces: readonly FilePiece[], offset: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pieces[middle] as FilePiece).at <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
