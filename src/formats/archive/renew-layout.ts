import { sha256 } from "../../io/digest.js";
import { FormatError, UnsupportedError } from "../../io/errors.js";
import { MAX_OCI_MANIFESTS } from "../../io/limits.js";
import { type ByteSource, MemorySource } from "../../io/source.js";
import { SplicedSource } from "../../io/splice.js";
import { type Json, listAt, readJson, textAt } from "./json.js";
import { JsonText } from "./json-text.js";
import { blobPath, INDEX_FILE, isOciLayout } from "./oci.js";
import { type FileTree, hasFile, type TreeChanges } from "./tree.js";

/** A blob in place of another; of an archive also the SHA-256 of its decompressed bytes. */
export interface Renewed {
  readonly content: ByteSource;
  readonly diffId: string | undefined;
}

const BLOBS = "blobs/sha256/";

/**
 * What changes in an image layout when blobs, by their paths, are others: the blobs, whatever names one by its digest up to
 * the index, and the digest of the decompressed layer in the configuration. Old blobs go, since nothing names them.
 * Errors: UNSUPPORTED for a layout of Docker, FormatError.
 */
export function renewedLayout(tree: FileTree, blobs: ReadonlyMap<string, Renewed>): TreeChanges {
  const index = tree.open(INDEX_FILE);
  if (!isOciLayout(tree) || index === undefined || [...blobs.keys()].some((path) => !path.startsWith(BLOBS)))
    throw new UnsupportedError(
      "a Docker archive is read only; save the image as oci-archive: podman save --format oci-archive",
      { file: tree.name },
    );
  const layout = new Layout(tree, blobs);
  return layout.changes(layout.renewed(index) ?? index);
}

class Layout {
  readonly #renewed: Map<string, Renewed>;
  readonly #seen = new Set<string>();

  constructor(
    private readonly tree: FileTree,
    blobs: ReadonlyMap<string, Renewed>,
  ) {
    this.#renewed = new Map(blobs);
  }

  /** All that changes, the index given. A blob that an old `manifest.json` of Docker names as well stays. */
  changes(index: ByteSource): TreeChanges {
    const changes = new Map<string, ByteSource | null>();
    const keepsOld = hasFile(this.tree, "manifest.json");
    for (const [path, { content }] of this.#renewed) {
      if (!keepsOld) changes.set(path, null);
      changes.set(BLOBS + sha256(content), content);
    }
    return changes.set(INDEX_FILE, index);
  }

  /** An index or a manifest with the digests of what it names; undefined if nothing of that changed. */
  renewed(source: ByteSource): ByteSource | undefined {
    const json = readJson(source);
    for (const each of listAt(json, "manifests")) {
      const path = blobPath(this.tree, each);
      const isJson = /\b(index|manifest)\b/.test(textAt(each, "mediaType") ?? "manifest");
      const blob = isJson && !this.#seen.has(path) ? this.tree.open(path) : undefined;
      if (blob === undefined) continue;
      this.#seen.add(path);
      if (this.#seen.size > MAX_OCI_MANIFESTS)
        throw new FormatError("TOO_LARGE", `OCI layout of more than ${MAX_OCI_MANIFESTS} manifests`, {
          file: this.tree.name,
        });
      const content = this.renewed(blob);
      if (content !== undefined) this.#renewed.set(path, { content, diffId: undefined });
    }
    this.#renewConfig(json);
    return this.#withDigests(source);
  }

  #renewConfig(manifest: Json): void {
    const layers = listAt(manifest, "layers").map(
      (layer) => this.#renewed.get(blobPath(this.tree, layer))?.diffId,
    );
    const path = layers.some((diffId) => diffId !== undefined)
      ? blobPath(this.tree, (manifest as { config?: Json }).config)
      : "";
    const config = path === "" ? undefined : this.tree.open(path);
    if (config === undefined) return;
    const text = new JsonText(config, ([first, second]) => first === "rootfs" && second === "diff_ids");
    for (const [i, diffId] of layers.entries())
      if (diffId !== undefined) text.set(["rootfs", "diff_ids", i], `sha256:${diffId}`);
    this.#renewed.set(path, { content: whole(config, text), diffId: undefined });
  }

  /** Digests stand wherever a descriptor does: under manifests, config, layers, subject. */
  #withDigests(source: ByteSource): ByteSource | undefined {
    const text = new JsonText(source, (path) => ["digest", "size"].includes(String(path.at(-1))));
    for (const scalar of text.scalars()) {
      if (scalar.path.at(-1) !== "digest") continue;
      const renewed = this.#renewed.get(BLOBS + String(scalar.value).replace("sha256:", ""));
      if (renewed === undefined) continue;
      text.set(scalar.path, `sha256:${sha256(renewed.content)}`);
      text.set([...scalar.path.slice(0, -1), "size"], renewed.content.size);
    }
    return text.splices().length === 0 ? undefined : whole(source, text);
  }
}

/** In memory: it is small, and read for its digest. */
function whole(source: ByteSource, text: JsonText): ByteSource {
  const spliced = new SplicedSource(source, text.splices());
  return new MemorySource(spliced.read(0, spliced.size), source.name);
}
