import { at, type Json, listAt, numberAt, readJson, textAt, textMapAt } from "./json.js";
import type { Package } from "./package.js";

/** What the files of a pod checkpoint tell of the pod (KEP-5823; CRI PodSandboxConfig). */
export interface PodFacts {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly id: string | undefined;
  readonly uid: string | undefined;
  readonly hostname: string | undefined;
  readonly labels: ReadonlyMap<string, string> | undefined;
  readonly version: number | undefined;
  readonly runtime: string | undefined;
  readonly containers: readonly {
    readonly name: string | undefined;
    readonly id: string | undefined;
    readonly sha256: string | undefined;
  }[];
}

/** The files beside the archives of the containers; all is undefined for a package without them. Errors: FormatError. */
export function podFacts({ tree }: Package): PodFacts {
  const jsonOf = (name: string): Json => {
    const source = tree.open(name);
    return source === undefined ? undefined : readJson(source);
  };
  const manifest = jsonOf("checkpoint-manifest.json");
  const config = jsonOf("pod-config.json");
  return {
    name: textAt(config, "metadata", "name"),
    namespace: textAt(config, "metadata", "namespace"),
    id: textAt(manifest, "sandboxId"),
    uid: textAt(config, "metadata", "uid"),
    hostname: textAt(config, "hostname"),
    labels: at(config, "labels") === undefined ? undefined : textMapAt(config, "labels"),
    version: numberAt(manifest, "version"),
    runtime: textAt(manifest, "runtime"),
    containers: listAt(manifest, "containers").map((container) => ({
      name: textAt(container, "name"),
      id: textAt(container, "id"),
      sha256: textAt(container, "sha256"),
    })),
  };
}
