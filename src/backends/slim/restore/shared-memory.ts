import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { copyRange } from "./files/memfd.js";
import { openPath } from "./files/named.js";
import { type Image, living } from "./image.js";
import type { ImageArea } from "./image-memory.js";
import { SysvSegments } from "./sysv-segments.js";
import type { Workbench } from "./work-area.js";

const READ_WRITE = 3;
const SHARED_ANONYMOUS = 0x21;

/** Shared anonymous memory: each object made in the first task that maps it, and filled once. */
export class SharedMemory {
  readonly #made = new Map<number, number>();
  readonly #segments: SysvSegments;
  #areas: Map<number, ImageArea[]> | undefined;

  constructor(
    readonly image: Image,
    readonly imageFd: number,
    readonly onFilled: (bytes: number) => void,
  ) {
    this.#segments = new SysvSegments(imageFd);
  }

  /** An object by a descriptor of crimg. Errors: BackendError for one that no area maps. */
  get(bench: Workbench, objref: number): number {
    const known = this.#made.get(objref);
    if (known !== undefined) return known;
    const areas = this.#areasOf(objref);
    const [area] = areas;
    if (area === undefined) throw new BackendError(`there is no shared memory ${objref}`);
    const size = area.objectSize;
    const at = bench.call("map shared memory", SYS.mmap, 0, size, READ_WRITE, SHARED_ANONYMOUS, -1, 0);
    const end = at + Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const path = `/proc/${bench.tracee.pid}/map_files/${at.toString(16)}-${end.toString(16)}`;
    const fd = openPath(path, fs.constants.O_RDWR | O_CLOEXEC);
    this.#made.set(objref, fd);
    bench.call("unmap shared memory", SYS.munmap, at, size);
    const filled = areas.find(({ pages }) => pages.length > 0);
    for (const { start, end: stop, offset } of filled?.pages ?? []) {
      copyRange(this.imageFd, offset, fd, start, Math.min(stop, size) - start);
      this.onFilled(stop - start);
    }
    return fd;
  }

  /** A System V segment by its number, made at its first use. */
  segment(area: ImageArea): number {
    const pages = this.#areasOf(area.object).find((each) => each.pages.length > 0)?.pages ?? [];
    return this.#segments.get(area, pages);
  }

  /** All that had segments attached have them by now. */
  detachSegments(): void {
    this.#segments.close();
  }

  /** The restart failed: what was made for it goes away. */
  abandon(): void {
    this.#segments.abandon();
  }

  close(): void {
    this.#segments.close();
    for (const fd of this.#made.values()) attempt(SYS.close, fd);
    this.#made.clear();
  }

  #areasOf(objref: number): readonly ImageArea[] {
    this.#areas ??= this.#index();
    return this.#areas.get(objref) ?? [];
  }

  #index(): Map<number, ImageArea[]> {
    const index = new Map<number, ImageArea[]>();
    for (const { objects } of living(this.image))
      for (const area of this.image.memory(objects.mm_objref).areas) {
        if (area.kind !== "shared anonymous") continue;
        const same = index.get(area.object);
        if (same === undefined) index.set(area.object, [area]);
        else same.push(area);
      }
    return index;
  }
}
