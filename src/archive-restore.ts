import { stillNeeded } from "./backends/criu/command-line.js";
import { makeGroupsAbove } from "./backends/criu/container/control-groups.js";
import { InheritedDescriptors } from "./backends/criu/container/descriptors.js";
import { answeredMounts } from "./backends/criu/container/external-mounts.js";
import { ContainerRoot, type RootRequest } from "./backends/criu/container/root.js";
import { containerFacts } from "./formats/archive/container.js";
import { ENGINE_FILES } from "./formats/archive/engine-files.js";
import type { PackagedSet } from "./formats/archive/package.js";
import { SourceTree } from "./formats/archive/source-tree.js";
import { UnsupportedError, UsageError } from "./io/errors.js";
import { type FileSet, OverlayFileSet } from "./io/file-set.js";
import type { ByteSource } from "./io/source.js";
import { splicedFiles } from "./io/splice.js";
import { type CriuDocument, type Document, isInArchive, type Packaged } from "./model/document.js";
import { type Bearer, ownerOf } from "./model/rights/bearer.js";
import { NO_GRANT } from "./model/rights/grant.js";
import { isPrivileged } from "./model/rights/privileged.js";
import { filesOfSet } from "./ops/edit/criu/packaged-files.js";
import { planEdits } from "./ops/edit/plan-edits.js";
import { openRestoreOptions } from "./ops/restore-options/restore-options.js";
import { copyOfSet } from "./private-copy.js";
import { type PreparedRestore, prepareOwn, type RestoreRequest } from "./restore.js";

export interface ArchiveRequest extends RestoreRequest {
  /** Undefined for a set without a mount namespace, which uses the files of this host. */
  readonly rootfs: RootRequest | undefined;
}

/** A prepared restore of a set in an archive; `close` removes what was made for it. */
export interface PreparedArchive extends PreparedRestore {
  close(): void;
}

/**
 * Prepares a restore by criu of a set in an archive, without the engine that made it: the images and the root file system
 * are made in temporary places, mounts and standard streams are answered from the files of the engine. With a root it must
 * be called in a private mount namespace.
 * Errors: USAGE, UNSUPPORTED without a root file system, BACKEND, FormatError, IO.
 */
export async function prepareArchive(document: Document, request: ArchiveRequest): Promise<PreparedArchive> {
  const { edits, policies, rootfs, grant = NO_GRANT, detach } = request;
  const { packaged } = (document.family === "criu" ? document : {}) as Partial<CriuDocument>;
  if (document.family !== "criu" || packaged === undefined)
    throw new UsageError("--rootfs is for archives of containers; use --root DIR for an image set", {
      file: document.name,
    });
  if (rootfs === undefined) assertNeedsNoRoot(document);
  const owner = ownerOf(document);
  const plan =
    edits.length + policies.length === 0
      ? undefined
      : planEdits(document, edits, { root: rootfs?.directory }, policies);
  const stored = filesOfSet(document);
  const files = plan === undefined ? stored : new OverlayFileSet(stored, splicedFiles(stored, plan.splices));
  const copy = copyOfSet(files, document.name);
  const undo = [() => copy.remove()];
  const close = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  try {
    const made = rootfs && containerOf(copy.document, packaged, files, owner, { ...request, rootfs });
    if (made !== undefined) undo.push(made.close);
    const { options = [], refusals = [] } = made ?? {};
    const extra = [...options.flatMap(({ option, value = "" }) => [option, value]), ...request.extra];
    const own = {
      ...request,
      edits: [],
      policies: [],
      extra,
      backend: "criu" as const,
      root: made?.directory,
    };
    const prepared = await prepareOwn(
      copy.document,
      { ...own, inherited: made?.inherited, grant },
      owner,
      plan?.restore,
    );
    return {
      ...prepared,
      plan,
      options: [...prepared.options, ...options],
      refusals: [...refusals, ...prepared.refusals],
      async start(told) {
        const removeGroups = made === undefined ? () => {} : makeGroupsAbove(copy.document.set);
        let keepsGroups = false;
        try {
          const end = await prepared.start(told);
          keepsGroups = end.restored && detach;
          return end;
        } finally {
          if (!keepsGroups) removeGroups();
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Errors: UNSUPPORTED for a set with a mount namespace, whose files are not in the archive. */
function assertNeedsNoRoot(document: CriuDocument): void {
  if (!isInArchive(document) || document.checkpoint.mounts.length === 0) return;
  const { name } = document;
  throw new UnsupportedError(
    `the archive has the changes of the container's root file system, not the image of the container; name a directory with that: --rootfs DIR, hand the archive to its engine: crimg restore ${name} --backend podman, or take the set out: crimg convert ${name} DIR`,
    { file: name },
  );
}

interface Container extends Pick<PreparedRestore, "options" | "refusals"> {
  readonly directory: string;
  readonly inherited: readonly number[];
  close(): void;
}

/** What is around the tasks of a container: its root file system, mounts and standard streams. */
function containerOf(
  document: CriuDocument,
  packaged: Packaged,
  files: FileSet,
  owner: Bearer | undefined,
  { rootfs, grant = NO_GRANT, extra, detach }: ArchiveRequest & { readonly rootfs: RootRequest },
): Container {
  const { mounts } = document.checkpoint;
  const isForeign = owner !== undefined && isPrivileged();
  const grants = (name: "file" | "setuid"): boolean =>
    !isForeign || grant.grants({ name, asked: "", had: "" });
  const set = withFiles(packaged.set, files);
  const facts = containerFacts(set);
  const unpack = { setIds: grants("setuid") };
  const root = new ContainerRoot(rootfs);
  const inherited = new InheritedDescriptors();
  const close = (): void => {
    inherited.close();
    root.close();
  };
  try {
    root.change(set, unpack);
    const mayMountHost = grants("file")
      ? true
      : `${owner?.name} could have written the archive; to grant it: --allow-rights file`;
    const answered = answeredMounts({
      ...{ root, facts, mounts, extra, mayMountHost, unpack },
      set: packaged.set,
    });
    root.makeMountPoints(mounts, ({ externalKey }) => answered.files.has(externalKey ?? ""));
    inherited.addPipes(facts.stdio, detach);
    for (const { option, value = "", from } of stillNeeded(openRestoreOptions(document), extra))
      if (option === "--inherit-fd" && from.startsWith("netns-"))
        inherited.addNetwork(value.slice(value.indexOf(":") + 1), rootfs.network ?? root.network(), from);
    return {
      directory: root.directory,
      options: [...answered.options, ...inherited.options],
      refusals: answered.refusals,
      inherited: inherited.fds,
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The files of an engine as edits left them. */
function withFiles(set: PackagedSet, files: FileSet): PackagedSet {
  const found = [...ENGINE_FILES, "descriptors.json"].flatMap((name): [string, ByteSource][] => {
    const source = files.open(name);
    return source === undefined ? [] : [[name, source]];
  });
  return { ...set, base: "", images: "", tree: new SourceTree(set.tree.name, new Map(found)) };
}
