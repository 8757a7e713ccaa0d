import type { Section } from "../section.js";

export const MOUNTS: Section = {
  name: "mounts",
  *items(side) {
    const namespaces = new Map<number, number>();
    for (const mount of side.document.checkpoint.mounts) {
      if (!namespaces.has(mount.namespace)) namespaces.set(mount.namespace, namespaces.size + 1);
      yield {
        key: `${namespaces.get(mount.namespace)} ${mount.mountpoint}`,
        label: mount.mountpoint,
        fields: {
          fileSystem: mount.fileSystem,
          root: mount.root,
          source: mount.source,
          options: mount.options,
          externalKey: mount.externalKey,
        },
      };
    }
  },
};
