import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { FSTYPE } from "../../formats/criu/tables/mnt.js";
import { enumName } from "../../io/enums.js";
import type { Mount } from "../checkpoint.js";
import type { PipeBuffer } from "../open-file.js";

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

/** Bytes that stood in pipes and fifos. */
export function criuPipeBuffers(set: CriuImageSet): PipeBuffer[] {
  return (
    [
      ["pipe", IMAGES.PIPES_DATA],
      ["fifo", IMAGES.FIFO_DATA],
    ] as const
  ).flatMap(([kind, image]) =>
    set.map(image, undefined, ({ index, value, payload }) => ({
      pipeId: value.pipe_id,
      kind,
      bytes: value.bytes,
      capacity: value.size ?? 0,
      origin: { image: image.file, record: index },
      read: () =>
        Buffer.concat(
          payload.map(({ offset, size }) => set.image(image)?.source.read(offset, size) ?? Buffer.alloc(0)),
        ),
    })),
  );
}
