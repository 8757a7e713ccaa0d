import { containerFacts } from "../../formats/archive/container.js";
import { membersOf, storedVolumes } from "../../formats/archive/contents.js";
import type { Document } from "../../model/document.js";
import { NO_CONTAINER, packagedIn } from "./container.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface VolumesView extends ViewHead<"volumes"> {
  readonly volumes: readonly ShownVolume[];
  /** Why it is empty. */
  readonly note?: string | undefined;
}

export interface ShownVolume {
  /** Where its contents are: in the archive, or in a directory or file of the host that a restore needs. */
  readonly kept: "archive" | "host";
  /** Of a named volume. */
  readonly name?: string | undefined;
  readonly destination?: string | undefined;
  /** On the host. */
  readonly source?: string | undefined;
  /** In the archive: number and size of the files. */
  readonly files?: number | undefined;
  readonly bytes?: number | undefined;
}

const SHARED_MEMORY = "/dev/shm";

/** Named volumes and /dev/shm that are stored with the container, and what is mounted from the host. */
export function volumesView(document: Document, _options: ShowOptions = {}): VolumesView {
  const packaged = packagedIn(document);
  if (packaged === undefined) return { ...viewHead("volumes"), volumes: [], note: NO_CONTAINER };
  const facts = containerFacts(packaged.set);
  const stored = storedVolumes(packaged.set).map(({ name, source }): ShownVolume => {
    let [files, bytes] = [0, 0];
    for (const { type, size } of membersOf(source)) {
      if (type !== "a directory") files++;
      bytes += size;
    }
    const destination = name === undefined ? SHARED_MEMORY : facts.volumes.get(name);
    return { kept: "archive", name, destination, files, bytes };
  });
  const inArchive = new Set(stored.map(({ destination }) => destination));
  const onHost = facts.mounts
    .filter(({ type, options }) => type === "bind" || options.includes("bind") || options.includes("rbind"))
    .filter(({ destination }) => !inArchive.has(destination))
    .map(({ destination, source }): ShownVolume => ({ kept: "host", destination, source }));
  const volumes = [...stored, ...onHost];
  const note = volumes.length > 0 ? undefined : "no volumes are stored, and none are mounted from the host";
  return { ...viewHead("volumes"), volumes, note };
}
