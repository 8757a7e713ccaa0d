import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { rootDeletions, rootDiff } from "../../../formats/archive/contents.js";
import { decompressedFile } from "../../../formats/archive/open.js";
import type { PackagedSet } from "../../../formats/archive/package.js";
import {
  makeInside,
  removeInside,
  type UnpackOptions,
  unpackTar,
} from "../../../formats/archive/tar/unpack.js";
import { ioError, UsageError } from "../../../io/errors.js";
import { temporaryDirectory } from "../../../io/new-directory.js";
import { PinnedDirectory } from "../../../io/pinned-directory.js";
import type { ByteSource } from "../../../io/source.js";
import { tryRemoveDirectory } from "../../../io/try-remove.js";
import type { Mount } from "../../../model/checkpoint.js";
import { newNetwork } from "./descriptors.js";
import { mount, unmount } from "./mount.js";

export interface RootRequest {
  /** The root file system of the container's image, as a directory of this host. */
  readonly directory: string;
  /** Whether the changes of the container, those that are stored and those that follow, are made in it. */
  readonly inPlace: boolean;
  /** Path of the network namespace to use for an external one; a new one with a loopback interface by default. */
  readonly network?: string | undefined;
}

/**
 * The root file system of a container in this mount namespace, which must be a private one: the directory of its image
 * below a tmpfs that takes all changes, so that nothing is left when the container ends.
 */
export class ContainerRoot {
  /** A mount point, as criu wants it. */
  readonly directory: string;
  readonly #home: string;
  #count = 0;

  /** Errors: USAGE for what is no directory; BACKEND where it cannot be mounted. */
  constructor({ directory, inPlace }: RootRequest) {
    const base = realDirectory(directory);
    this.#home = temporaryDirectory(os.tmpdir(), "restore");
    this.directory = path.join(this.#home, "root");
    try {
      mount("-t", "tmpfs", "-o", "mode=700", "crimg", this.#home);
      const [lower, upper, work] = ["lower", "upper", "work"].map((name) => path.join(this.#home, name));
      for (const each of [this.directory, lower, upper, work]) fs.mkdirSync(each as string, { mode: 0o755 });
      if (inPlace) mount("--bind", base, this.directory);
      else {
        // Bound first: the path of the user may have a comma or colon, which separate options.
        mount("--bind", base, lower as string);
        const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
        mount("-t", "overlay", "-o", options, "crimg", this.directory);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Makes the stored changes of the root file system. Errors: FormatError, IO. */
  change(set: PackagedSet, options: UnpackOptions): void {
    this.#inRoot((root) => {
      for (const deleted of rootDeletions(set)) removeInside(root, deleted);
      const diff = rootDiff(set);
      if (diff !== undefined) unpack(diff, root, options);
    });
  }

  /** Makes the directories and files that something is mounted on. `isFile`: of external mounts. Errors: FormatError, IO. */
  makeMountPoints(mounts: readonly Mount[], isFile: (mount: Mount) => boolean): void {
    const roots = new Set(mounts.filter(({ mountpoint }) => mountpoint === "/").map(({ id }) => id));
    this.#inRoot((root) => {
      for (const each of mounts)
        if (roots.has(each.parentId) && !roots.has(each.id))
          makeInside(root, each.mountpoint, isFile(each) ? "file" : "directory");
    });
  }

  /** A directory beside the root, with the members of an archive. Errors: as `unpackTar`. */
  volume(content: ByteSource | undefined, mode: number, options: UnpackOptions): string {
    const directory = this.#new();
    fs.mkdirSync(directory);
    fs.chmodSync(directory, mode);
    if (content === undefined) return directory;
    const pinned = PinnedDirectory.openNew(directory);
    try {
      unpack(content, pinned, options);
    } finally {
      pinned.close();
    }
    return directory;
  }

  /** A file beside the root. */
  file(text: string): string {
    const file = this.#new();
    fs.writeFileSync(file, text, { flag: "wx", mode: 0o644 });
    return file;
  }

  /** A new network namespace; gives its path. Errors: BACKEND. */
  network(): string {
    return newNetwork(this.#home);
  }

  /** Leaves this mount namespace; a restored container keeps what it uses. */
  close(): void {
    try {
      unmount(this.#home);
    } catch {
      // It was not mounted.
    }
    tryRemoveDirectory(this.#home);
  }

  #new(): string {
    return path.join(this.#home, `mount-${++this.#count}`);
  }

  #inRoot(use: (root: PinnedDirectory) => void): void {
    const root = PinnedDirectory.openNew(this.directory);
    try {
      use(root);
    } finally {
      root.close();
    }
  }
}

function unpack(archive: ByteSource, into: PinnedDirectory, options: UnpackOptions): void {
  const tar = decompressedFile(archive);
  try {
    unpackTar(tar, into, options);
  } finally {
    if (tar !== archive) tar.close();
  }
}

function realDirectory(directory: string): string {
  try {
    const real = fs.realpathSync(directory);
    if (fs.statSync(real).isDirectory()) return real;
  } catch (error) {
    throw ioError("open the root file system", directory, error);
  }
  throw new UsageError("the root file system is not a directory", { file: directory });
}
