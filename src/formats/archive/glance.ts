import { MAX_GLANCE_BYTES } from "../../io/limits.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { UnpackedSource } from "../../io/unpacked-source.js";
import { type ContainerFacts, containerFacts } from "./container.js";
import { decompressedFile, packageInFile } from "./open.js";
import type { Form } from "./package.js";
import { SourceTree } from "./source-tree.js";
import { isTar, readTar } from "./tar/read.js";
import { memberSource } from "./tar/tree.js";

/** What an archive is, as far as its beginning tells. */
export interface Glance {
  readonly form: Form;
  /** Undefined for a package without a container, or of several. */
  readonly facts: ContainerFacts | undefined;
}

/** How members tell the form of a compressed archive; the first that is met decides. */
const TELLING: readonly (readonly [path: RegExp, form: Form])[] = [
  [/^checkpoint\/.+\.img$/, "container"],
  [/^pre-checkpoint(\/|$)/, "pre-checkpoint"],
  [/^(index\.json|oci-layout|manifest\.json)$/, "oci"],
  [/^checkpoint-manifest\.json$/, "pod"],
  [/^pod\.(options|dump)$/, "old-pod"],
  [/^process_state\.json$/, "cedana"],
  [/(^|\/)(inventory|pstree)\.img$/, "sets"],
];
const DESCRIBING = new Set(["config.dump", "spec.dump", "status.dump", "network.status"]);

/**
 * What a file is, by all of it or, compressed, by its beginning: engines write what describes a container before its
 * images. Undefined for a file that is no package. Errors: FormatError of a damaged archive.
 */
export function glanceAt(source: ByteSource): Glance | undefined {
  const bytes = decompressedFile(source);
  if (bytes instanceof UnpackedSource && isTar(bytes)) return glanceInto(bytes);
  const found = packageInFile(bytes);
  const [only, ...others] = found?.sets ?? [];
  if (found === undefined || only === undefined) return undefined;
  return { form: found.form, facts: others.length === 0 ? containerFacts(only) : undefined };
}

function glanceInto(tar: UnpackedSource): Glance | undefined {
  const files = new Map<string, ByteSource>();
  let form: Form | undefined;
  for (const member of readTar(tar)) {
    if (DESCRIBING.has(member.path)) {
      const source = memberSource(tar, member, `${tar.name}//${member.path}`);
      files.set(member.path, new MemorySource(source.read(0, source.size), source.name));
    }
    form ??= TELLING.find(([path]) => path.test(member.path))?.[1];
    const hasAll = files.has("config.dump") && files.has("spec.dump");
    if ((form !== undefined && (hasAll || form !== "container")) || member.data > MAX_GLANCE_BYTES) break;
  }
  if (form === undefined) return undefined;
  const tree = new SourceTree(tar.name, files);
  return {
    form,
    facts: containerFacts({ path: "", form, tree, base: "", images: "", annotations: new Map() }),
  };
}
