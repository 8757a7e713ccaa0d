import fs from "node:fs";
import { BackendError } from "../../../io/errors.js";
import { PAGE_SIZE } from "../../../linux/mman.js";
import { O_CLOEXEC } from "../../../linux/open-flags.js";
import { SYS } from "../sys/abi-x64.js";
import { attempt } from "../sys/syscall.js";
import { copyRange } from "./files/memfd.js";
import { openPath } from "./files/named.js";
import { type Image, liveProcesses } from "./image.js";
import type { ImageVma } from "./image-memory.js";
import { SysvSegments } from "./sysv-segments.js";
import type { RemoteTask } from "./work-area.js";

const READ_WRITE = 3;
const SHARED_ANONYMOUS = 0x21;

/** Shared anonymous memory: each object made in the first task that maps it, and filled once. */
export class SharedMemory {
  readonly #made = new Map<number, number>();
  readonly #segments: SysvSegments;
  #vmas: Map<number, ImageVma[]> | undefined;

  constructor(
    readonly image: Image,
    readonly imageFd: number,
    readonly onFilled: (bytes: number) => void,
  ) {
    this.#segments = new SysvSegments(imageFd);
  }

  /** An object by a descriptor of crimg. Errors: BackendError for one that no area maps. */
  get(remote: RemoteTask, objref: number): number {
    const known = this.#made.get(objref);
    if (known !== undefined) return known;
    const vmas = this.#vmasOf(objref);
    const [vma] = vmas;
    if (vma === undefined) throw new BackendError(`there is no shared memory ${objref}`);
    const size = vma.objectSize;
    const at = remote.call("map shared memory", SYS.mmap, 0, size, READ_WRITE, SHARED_ANONYMOUS, -1, 0);
    const end = at + Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const path = `/proc/${remote.tracee.pid}/map_files/${at.toString(16)}-${end.toString(16)}`;
    const fd = openPath(path, fs.constants.O_RDWR | O_CLOEXEC);
    this.#made.set(objref, fd);
    remote.call("unmap shared memory", SYS.munmap, at, size);
    const filled = vmas.find(({ pages }) => pages.length > 0);
    for (const { start, end: stop, offset } of filled?.pages ?? []) {
      copyRange(this.imageFd, offset, fd, start, Math.min(stop, size) - start);
      this.onFilled(stop - start);
    }
    return fd;
  }

  /** A System V segment by its number, made at its first use. */
  segment(vma: ImageVma): number {
    const pages = this.#vmasOf(vma.object).find((each) => each.pages.length > 0)?.pages ?? [];
    return this.#segments.get(vma, pages);
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

  #vmasOf(objref: number): readonly ImageVma[] {
    this.#vmas ??= this.#index();
    return this.#vmas.get(objref) ?? [];
  }

  #index(): Map<number, ImageVma[]> {
    const index = new Map<number, ImageVma[]>();
    for (const { objects } of liveProcesses(this.image))
      for (const vma of this.image.memory(objects.mm_objref).vmas) {
        if (vma.kind !== "shared anonymous") continue;
        const same = index.get(vma.object);
        if (same === undefined) index.set(vma.object, [vma]);
        else same.push(vma);
      }
    return index;
  }
}
