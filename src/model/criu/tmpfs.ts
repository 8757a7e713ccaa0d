import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { StoredContents } from "../stored-bytes.js";

/** What tmpfs mounts hold, each a tar file compressed by gzip; several mounts may be of one tmpfs. Errors: FormatError. */
export function* criuTmpfs(set: CriuImageSet): Generator<StoredContents> {
  const seen = new Set<string>();
  for (const namespace of set.ids(IMAGES.MNTS))
    for (const { root_dev, mnt_id, mountpoint: name } of set.map(
      IMAGES.MNTS,
      namespace,
      ({ value }) => value,
    ))
      for (const file of [fileNameOf(IMAGES.TMPFS_DEV, root_dev), fileNameOf(IMAGES.TMPFS_IMG, mnt_id)]) {
        const source = seen.has(file) ? undefined : set.fileSet.open(file);
        if (source === undefined) continue;
        seen.add(file);
        yield { kind: "tmpfs", name, pieces: () => [{ source, offset: 0, size: source.size, at: 0 }] };
      }
}
