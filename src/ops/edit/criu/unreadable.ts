import { kindOfFileName } from "../../../formats/criu/detect.js";
import { type Damage, SalvagedSet } from "../../../formats/criu/salvage.js";
import type { FileSet } from "../../../io/file-set.js";

/** The first damage of each image of records that cannot be read whole; an edit keeps it as it is. */
export function unreadableImages(files: FileSet): Damage[] {
  const set = new SalvagedSet(files);
  const found: Damage[] = [];
  for (const name of files.names()) {
    if (kindOfFileName(name)?.kind.magic === undefined) continue;
    for (const _record of set.streamNamed(name));
    const [damage] = set.damageOf(name);
    if (damage !== undefined) found.push(damage);
  }
  return found;
}
