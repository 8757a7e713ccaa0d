import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FSTYPE } from "../../formats/criu/tables/mnt.js";
import { enumName } from "../../io/enums.js";
import type { Mount } from "../checkpoint.js";

const FSTYPE_AUTO = 16;

/** The mounts of every mount namespace that was dumped. */
export function criuMounts(set: CriuImageSet): Mount[] {
  return set.ids(IMAGES.MNTS).flatMap((namespace) =>
    set.map(IMAGES.MNTS, namespace, ({ index, value }) => ({
      namespace,
      id: value.mnt_id,
      parentId: value.parent_mnt_id,
      mountpoint: value.mountpoint,
      root: value.root,
      fileSystem:
        value.fstype === FSTYPE_AUTO
          ? (value.fsname ?? "auto")
          : enumName(FSTYPE, value.fstype).toLowerCase(),
      source: value.source,
      flags: value.flags,
      options: value.options,
      externalKey: value.ext_key,
      sharedId: value.shared_id ?? 0,
      masterId: value.master_id ?? 0,
      origin: { image: `mountpoints-${namespace}.img`, record: index },
    })),
  );
}
