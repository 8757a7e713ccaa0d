import type { FileSet } from "../../io/file-set.js";
import type { ByteSource } from "../../io/source.js";
import { FACT_FILES } from "./facts.js";
import type { PackagedSet } from "./package.js";
import { joined } from "./tree.js";

/** Of the root file system of a container: changed files, and paths of deleted ones. */
export const ROOT_DIFF = "rootfs-diff.tar";
export const DELETED = "deleted.files";

/** Files beside the images that describe the container, and that edits may change. */
export const ENGINE_FILES: ReadonlySet<string> = new Set([
  ...["config.dump", "spec.dump", "network.status", "status.dump", "bind.mounts"],
  ...[ROOT_DIFF, DELETED],
]);

/** Whether edits may change a file of that name for what it tells an engine: it is no image. */
export function isEngineFile(name: string): boolean {
  return ENGINE_FILES.has(name) || FACT_FILES.includes(name);
}

/** Where a file of a set, or beside its images, is in the tree of the set. */
export function pathIn({ base, images }: PackagedSet, name: string): string {
  return joined(ENGINE_FILES.has(name) ? base : images, name);
}

/** The images of a set in a package, and by name also the files beside them that describe the container. */
export class EngineFileSet implements FileSet {
  constructor(
    private readonly images: FileSet,
    readonly packaged: PackagedSet,
  ) {}

  get name(): string {
    return this.images.name;
  }

  names(): readonly string[] {
    return this.images.names();
  }

  irregular(): ReadonlyMap<string, string> {
    return this.images.irregular?.() ?? new Map();
  }

  open(name: string): ByteSource | undefined {
    return ENGINE_FILES.has(name)
      ? this.packaged.tree.open(pathIn(this.packaged, name))
      : this.images.open(name);
  }

  modified(name: string): Date | undefined {
    return this.images.modified?.(name);
  }

  parent(): FileSet | undefined {
    return this.images.parent();
  }

  close(): void {
    this.images.close();
  }
}
