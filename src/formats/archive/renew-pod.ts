import { sha256 } from "../../io/digest.js";
import type { ByteSource } from "../../io/source.js";
import { SplicedSource } from "../../io/splice.js";
import { JsonText } from "./json-text.js";
import type { FileTree, TreeChanges } from "./tree.js";

const MANIFEST = "checkpoint-manifest.json";

/**
 * What changes in the directory of a pod checkpoint when the archive of a container is another: its SHA-256 in the
 * manifest, where that has one (CRI-O). Errors: FormatError.
 */
export function renewedManifest(tree: FileTree, archive: string, content: ByteSource): TreeChanges {
  const source = tree.open(MANIFEST) as ByteSource;
  const text = new JsonText(
    source,
    ([first, , key, ...more]) =>
      first === "containers" && more.length === 0 && (key === "archive" || key === "sha256"),
  );
  for (const { path, value } of text.scalars())
    if (path[2] === "archive" && value === archive)
      text.set(["containers", path[1] as number, "sha256"], sha256(content));
  return new Map<string, ByteSource>([
    [archive, content],
    [MANIFEST, new SplicedSource(source, text.splices())],
  ]);
}
