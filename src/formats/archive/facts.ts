import type { JsonPath } from "./json-text.js";

/** What a value in a file of an engine says that the images, or other such files, say too. */
export type FactKind =
  | "address"
  | "container id"
  | "container name"
  | "control group"
  | "environment"
  | "host name"
  | "path"
  | "port"
  | "stdio";

/** A place in a file of an engine; `*` stands for any key or index, an expression for the keys that match it. */
export interface Fact {
  readonly file: string;
  readonly path: readonly (string | RegExp)[];
  readonly holds: FactKind;
}

/** Of an OCI runtime specification, config.md: Podman has one in its configuration too. */
const IN_SPEC: readonly Pick<Fact, "path" | "holds">[] = [
  { path: ["hostname"], holds: "host name" },
  { path: ["process", "cwd"], holds: "path" },
  { path: ["process", "env", "*"], holds: "environment" },
  { path: ["mounts", "*", "source"], holds: "path" },
  { path: ["linux", "cgroupsPath"], holds: "control group" },
  { path: ["annotations", /^io\.kubernetes\.cri-o\.IP\.\d+$/], holds: "address" },
  {
    path: ["annotations", /^io\.kubernetes\.(?:cri-o\.ContainerName|cri\.container-name)$/],
    holds: "container name",
  },
  { path: ["annotations", "io.kubernetes.cri-o.ContainerID"], holds: "container id" },
];

/**
 * Libpod's ContainerConfig (podman, libpod/container_config.go), its network status (containers/common,
 * libnetwork/types), the CRI's ContainerStatus (cri-api, api.proto), CRI-O's bind mounts, and what runc and crun keep of
 * the standard streams.
 */
export const FACTS: readonly Fact[] = [
  ...IN_SPEC.map((fact): Fact => ({ ...fact, file: "spec.dump" })),
  ...IN_SPEC.map(({ path, holds }): Fact => ({ file: "config.dump", path: ["spec", ...path], holds })),
  { file: "config.dump", path: ["name"], holds: "container name" },
  { file: "config.dump", path: ["id"], holds: "container id" },
  { file: "config.dump", path: ["mounts", "*"], holds: "path" },
  ...["ShmDir", "staticDir", "secretsPath", "logPath", "conmonPidFile", "pid_file"].map(
    (key): Fact => ({ file: "config.dump", path: [key], holds: "path" }),
  ),
  { file: "config.dump", path: ["newPortMappings", "*", "container_port"], holds: "port" },
  { file: "config.dump", path: ["portMappings", "*", "containerPort"], holds: "port" },
  { file: "config.dump", path: ["cgroupParent"], holds: "control group" },
  { file: "config.dump", path: ["staticIP"], holds: "address" },
  { file: "config.dump", path: ["networks", "*", "static_ips", "*"], holds: "address" },
  { file: "network.status", path: ["*", "interfaces", "*", "subnets", "*", "ipnet"], holds: "address" },
  { file: "network.status", path: ["*", "interfaces", "*", "subnets", "*", "gateway"], holds: "address" },
  { file: "status.dump", path: ["id"], holds: "container id" },
  { file: "status.dump", path: ["metadata", "name"], holds: "container name" },
  { file: "status.dump", path: ["mounts", "*", "hostPath"], holds: "path" },
  { file: "status.dump", path: ["mounts", "*", "host_path"], holds: "path" },
  { file: "bind.mounts", path: ["*", "source"], holds: "path" },
  { file: "descriptors.json", path: ["*"], holds: "stdio" },
];

/** Files of engines that hold facts. */
export const FACT_FILES: readonly string[] = [...new Set(FACTS.map(({ file }) => file))];

/** What a place in a file holds; undefined for any other. */
export function factAt(file: string, path: JsonPath): FactKind | undefined {
  return FACTS.find((fact) => fact.file === file && isAt(fact.path, path))?.holds;
}

function isAt(pattern: Fact["path"], path: JsonPath): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((part, i) => {
      const key = String(path[i]);
      return part === "*" || (typeof part === "string" ? part === key : part.test(key));
    })
  );
}
