import { listAt, readJson, textAt } from "../../../formats/archive/json.js";
import type { PackagedSet, Within } from "../../../formats/archive/package.js";
import { sha256 } from "../../../io/digest.js";
import { MAX_DIGESTED_BYTES } from "../../../io/limits.js";
import type { ByteSource } from "../../../io/source.js";
import type { Found, Rule } from "../finding.js";

const MANIFEST = "checkpoint-manifest.json";
const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** The rules about the archive or image that a set is in. */
export const PACKAGE_RULES: readonly Rule<PackagedSet>[] = [
  {
    id: "ARCHIVE_DIGEST",
    level: "error",
    about:
      "A layer of an image, or an archive of a pod, has the SHA-256 that names it: engines refuse another.",
    fix: "Copy it again from where it was made; if it is the same there, it was changed by something that kept the digest.",
    *check({ within = [] }) {
      for (const each of within) yield* compared(each);
    },
  },
];

function* compared({ tree, file, as }: Within): Generator<Found> {
  const expected = as === "pod" ? digestInManifest(tree.open(MANIFEST), file) : BLOB.exec(file)?.[1];
  const source = expected === undefined ? undefined : tree.open(file);
  if (source === undefined) return;
  const at = { image: file };
  if (source.size > MAX_DIGESTED_BYTES) {
    const what = `not compared: ${source.size} bytes take long to read; compare it with sha256sum`;
    yield { at, what, expected, level: "note" };
    return;
  }
  const found = sha256(source);
  if (found !== expected) yield { at, what: "another SHA-256 than the one that names it", expected, found };
}

/** Undefined for a manifest that has none: containerd's. */
function digestInManifest(manifest: ByteSource | undefined, archive: string): string | undefined {
  const containers = manifest === undefined ? [] : listAt(readJson(manifest), "containers");
  const container = containers.find((each) => textAt(each, "archive") === archive);
  return textAt(container, "sha256");
}
