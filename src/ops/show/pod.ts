import { containerFacts } from "../../formats/archive/container.js";
import { podFacts } from "../../formats/archive/pod.js";
import type { Document } from "../../model/document.js";
import { NO_CONTAINER, packagedIn } from "./container.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface PodView extends ViewHead<"pod"> {
  readonly pod?: ShownPod | undefined;
  /** Why it is missing. */
  readonly note?: string | undefined;
}

export interface ShownPod {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly id?: string | undefined;
  readonly uid?: string | undefined;
  readonly hostname?: string | undefined;
  readonly labels?: ReadonlyMap<string, string> | undefined;
  /** Of the manifest of a pod checkpoint. */
  readonly version?: number | undefined;
  readonly runtime?: string | undefined;
  /** Those in this archive or directory. */
  readonly containers: readonly {
    readonly path: string;
    readonly name?: string | undefined;
    readonly id?: string | undefined;
    readonly image?: string | undefined;
    readonly sha256?: string | undefined;
  }[];
}

/** The pod of a container, and its other containers in the same archive. */
export function podView(document: Document, _options: ShowOptions = {}): PodView {
  const packaged = packagedIn(document);
  if (packaged === undefined) return { ...viewHead("pod"), note: NO_CONTAINER };
  const own = containerFacts(packaged.set).pod;
  const { containers, ...stored } = podFacts(packaged.package);
  if (own === undefined && stored.id === undefined)
    return { ...viewHead("pod"), note: "the container is in no pod" };
  const told = Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));
  const pod: ShownPod = {
    ...own,
    ...told,
    containers: packaged.package.sets.map((set) => {
      const { name, id, image } = containerFacts(set);
      const listed = containers.find((each) => each.name === set.path) ?? containers[0];
      const known = packaged.package.sets.length === 1 || listed?.name === set.path ? listed : undefined;
      return {
        path: set.path,
        name: known?.name ?? name,
        id: known?.id ?? id,
        image: image.name,
        sha256: known?.sha256,
      };
    }),
  };
  return { ...viewHead("pod"), pod };
}
