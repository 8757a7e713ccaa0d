import {
  type ContainerFacts,
  containerFacts,
  type Port,
  type Versioned,
} from "../../formats/archive/container.js";
import { hasNearRootDiff, rootChanges, rootDiff, storedVolumes } from "../../formats/archive/contents.js";
import { FORMS, type Form, type PackagedSet } from "../../formats/archive/package.js";
import type { Document, Packaged } from "../../model/document.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

/** Why views of a container are empty. */
export const NO_CONTAINER = "the image is not in an archive or a directory of a container engine";

/** The package of a set; undefined for a set or stream without one. */
export function packagedIn(document: Document): Packaged | undefined {
  return document.family === "criu" ? document.packaged : undefined;
}

export interface ContainerView extends ViewHead<"container"> {
  readonly container?: ShownContainer | undefined;
  /** Why it is missing. */
  readonly note?: string | undefined;
}

/** A container as the files beside its images describe it. */
export interface ShownContainer extends ContainerSummary {
  readonly hostname?: string | undefined;
  readonly cwd?: string | undefined;
  readonly user?: string | undefined;
  readonly mounts: ContainerFacts["mounts"];
  readonly stdio: readonly string[];
  readonly cgroup?: string | undefined;
  readonly criuConfig?: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

/** The same on one screen. */
export interface ContainerSummary {
  readonly form: Form;
  /** The form in words. */
  readonly title: string;
  /** How the set is named in its archive; absent if it is alone. */
  readonly path?: string | undefined;
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly image?: { readonly name?: string | undefined; readonly id?: string | undefined } | undefined;
  readonly engine?: Versioned | undefined;
  readonly runtime?: Versioned | undefined;
  readonly criuVersion?: string | undefined;
  readonly host?: ContainerFacts["host"] | undefined;
  readonly pod?: ContainerFacts["pod"];
  readonly created?: string | undefined;
  readonly checkpointed?: string | undefined;
  readonly restored?: string | undefined;
  readonly addresses: readonly string[];
  readonly ports: readonly Port[];
  readonly command: readonly string[];
  readonly rootChanges: RootChangeFacts;
  readonly volumes: readonly {
    readonly name: string;
    readonly destination?: string | undefined;
    readonly bytes: number;
  }[];
}

/** Bytes of the stored diff of the root file system; numbers are absent when it would have to be decompressed for them. */
export interface RootChangeFacts {
  readonly bytes: number;
  readonly changed?: number | undefined;
  readonly deleted?: number | undefined;
}

/** What the files beside the images tell of the container. */
export function containerView(document: Document, _options: ShowOptions = {}): ContainerView {
  const packaged = packagedIn(document);
  if (packaged === undefined) return { ...viewHead("container"), note: NO_CONTAINER };
  const facts = containerFacts(packaged.set);
  const { hostname, cwd, user, mounts, stdio, cgroup, criuConfig, annotations } = facts;
  const container = {
    ...containerSummary(packaged, facts),
    ...{ hostname, cwd, user, mounts, stdio, cgroup, criuConfig, annotations },
  };
  return { ...viewHead("container"), container };
}

/** The facts for one screen. Errors: FormatError. */
export function containerSummary(
  { package: { form }, set }: Packaged,
  facts: ContainerFacts = containerFacts(set),
): ContainerSummary {
  const { name, id, image, engine, runtime, criuVersion, host, pod, created, checkpointed, restored } = facts;
  return {
    form,
    title: FORMS[form].title,
    path: set.path === "" ? undefined : set.path,
    ...{ name, id },
    image: image.name === undefined && image.id === undefined ? undefined : image,
    ...{ engine, runtime, criuVersion },
    host: host.arch === undefined && host.kernel === undefined ? undefined : host,
    ...{ pod, created, checkpointed, restored },
    addresses: facts.addresses,
    ports: facts.ports,
    command: facts.command,
    rootChanges: rootChangeFacts(set),
    volumes: storedVolumes(set).flatMap(({ name: volume, source }) =>
      volume === undefined
        ? []
        : [{ name: volume, destination: facts.volumes.get(volume), bytes: source.size }],
    ),
  };
}

function rootChangeFacts(set: PackagedSet): RootChangeFacts {
  const bytes = rootDiff(set)?.size ?? 0;
  if (!hasNearRootDiff(set)) return { bytes };
  let [changed, deleted] = [0, 0];
  for (const { change, member } of rootChanges(set))
    if (change === "deleted") deleted++;
    else if (member?.type !== "a directory") changed++;
  return { bytes, changed, deleted };
}
