import { at, type Json, listAt, membersAt, numberAt, readJson, textAt, textMapAt, textsAt } from "./json.js";
import type { PackagedSet } from "./package.js";
import { joined } from "./tree.js";

/** What the files beside the images tell of a container, whatever engine wrote them; what they do not tell is undefined. */
export interface ContainerFacts {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly image: { readonly name: string | undefined; readonly id: string | undefined };
  readonly engine: Versioned | undefined;
  readonly runtime: Versioned | undefined;
  /** As the annotations of an image tell it: `40201`, `4.2.1`. */
  readonly criuVersion: string | undefined;
  readonly host: { readonly arch: string | undefined; readonly kernel: string | undefined };
  readonly pod: PodNames | undefined;
  /** RFC 3339. */
  readonly created: string | undefined;
  readonly checkpointed: string | undefined;
  readonly restored: string | undefined;
  readonly hostname: string | undefined;
  readonly addresses: readonly string[];
  readonly ports: readonly Port[];
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** Numeric, as `0:0`. */
  readonly user: string | undefined;
  readonly mounts: readonly ContainerMount[];
  /** Where a named volume is mounted, by its name. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Targets of the descriptors 0, 1 and 2 of the first process. */
  readonly stdio: readonly string[];
  readonly cgroup: string | undefined;
  /** A configuration file whose options runc and crun give to criu, whatever the caller asks for. */
  readonly criuConfig: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface Versioned {
  readonly name: string;
  readonly version: string | undefined;
}

export interface PodNames {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly id: string | undefined;
  readonly uid: string | undefined;
}

/** A port of the host that leads to one of the container. */
export interface Port {
  readonly host: number;
  readonly hostAddress: string | undefined;
  readonly container: number;
  readonly protocol: string;
  /** Consecutive ports. */
  readonly count: number;
}

export interface ContainerMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Annotations by engine, in the specification of the container. */
const CRI_O = "io.kubernetes.cri-o.";
const CONTAINERD = "io.kubernetes.cri.";
const POD = "io.kubernetes.pod.";
const MANAGERS: Readonly<Record<string, string>> = { libpod: "Podman", "cri-o": "CRI-O" };
/** Prefixes of the annotations of OCI checkpoint images. */
const IMAGE_PREFIXES = [
  "org.criu.checkpoint.",
  "io.podman.annotations.checkpoint.",
  "io.kubernetes.cri-o.annotations.checkpoint.",
];
/** time.Time{} of Go. */
const ZERO_TIME = /^0001-01-01T/;

/** Reads the small JSON files beside the images. Errors: FormatError for one that is not JSON or too large. */
export function containerFacts(set: PackagedSet): ContainerFacts {
  const config = jsonOf(set, "config.dump");
  const spec = jsonOf(set, "spec.dump");
  const status = jsonOf(set, "status.dump");
  const annotations = textMapAt(spec, "annotations");
  const ofImage = (...names: string[]): string | undefined =>
    names
      .flatMap((name) => IMAGE_PREFIXES.map((prefix) => set.annotations.get(`${prefix}${name}`)))
      .find((text) => text !== undefined && text !== "");
  const metadata = textAt(parsed(annotations.get(`${CRI_O}Metadata`)), "name");
  return {
    name:
      textAt(config, "name") ??
      metadata ??
      annotations.get(`${CONTAINERD}container-name`) ??
      textAt(status, "metadata", "name") ??
      ofImage("container.name", "name"),
    id: textAt(config, "id") ?? textAt(status, "id"),
    image: {
      name:
        textAt(config, "rootfsImageName") ??
        textAt(config, "rootfsImage") ??
        textAt(config, "RawImageName") ??
        annotations.get(`${CRI_O}ImageName`) ??
        annotations.get(`${CONTAINERD}image-name`) ??
        ofImage("rootfsImageName", "rawImageName") ??
        set.annotations.get("org.opencontainers.image.ref.name"),
      id: textAt(config, "rootfsImageID") ?? textAt(config, "rootfsImageRef") ?? ofImage("rootfsImageID"),
    },
    engine: engineOf(set, annotations, ofImage),
    runtime: runtimeOf(config, set, ofImage),
    criuVersion: ofImage("criu.version"),
    host: { arch: ofImage("host.arch"), kernel: ofImage("host.kernel") },
    pod: podOf(config, annotations, ofImage),
    created: timeOf(
      textAt(config, "createdTime") ?? annotations.get(`${CRI_O}Created`) ?? textAt(status, "createdAt"),
    ),
    checkpointed: timeOf(textAt(config, "checkpointedTime")),
    restored: timeOf(textAt(config, "restoredTime")),
    hostname: textAt(spec, "hostname"),
    addresses: addressesOf(set, annotations),
    ports: listAt(config, "newPortMappings").map(portOf),
    command: textsAt(spec, "process", "args"),
    cwd: textAt(spec, "process", "cwd"),
    user: userOf(at(spec, "process", "user")),
    mounts: listAt(spec, "mounts").map((mount) => ({
      destination: textAt(mount, "destination") ?? "",
      type: textAt(mount, "type") ?? "",
      source: textAt(mount, "source") ?? "",
      options: textsAt(mount, "options"),
    })),
    volumes: new Map(
      listAt(config, "namedVolumes").map((volume) => [
        textAt(volume, "volumeName") ?? "",
        textAt(volume, "dest") ?? "",
      ]),
    ),
    stdio: textsAt([stdioOf(set)], "0"),
    cgroup: textAt(spec, "linux", "cgroupsPath"),
    criuConfig: annotations.get("org.criu.config"),
    annotations: new Map([...annotations, ...set.annotations]),
  };
}

/** A file beside the images as JSON; undefined without it. */
function jsonOf({ tree, base }: PackagedSet, name: string): Json {
  const source = tree.open(joined(base, name));
  return source === undefined ? undefined : readJson(source);
}

/** runc and crun keep what the descriptors were beside the images. */
function stdioOf({ tree, images }: PackagedSet): Json {
  const source = tree.open(joined(images, "descriptors.json"));
  return source === undefined ? undefined : readJson(source);
}

/** JSON in an annotation; undefined for any other text. */
function parsed(text: string | undefined): Json {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

type OfImage = (...names: string[]) => string | undefined;

function engineOf(
  set: PackagedSet,
  spec: ReadonlyMap<string, string>,
  ofImage: OfImage,
): Versioned | undefined {
  const manager = spec.get("io.container.manager");
  const version = ofImage("engine.version", "podman.version", "cri-o.version");
  const named =
    ofImage("engine.name") ?? (manager === undefined ? undefined : (MANAGERS[manager] ?? manager));
  if (named !== undefined) return { name: named, version };
  if (set.form === "docker") return { name: "Docker", version };
  if (set.form === "containerd" || [...spec.keys()].some((key) => key.startsWith(CONTAINERD)))
    return { name: "containerd", version };
  return undefined;
}

function runtimeOf(config: Json, set: PackagedSet, ofImage: OfImage): Versioned | undefined {
  const name =
    textAt(config, "runtime") ??
    ofImage("runtime.name") ??
    set.annotations.get("io.containerd.checkpoint.runtime");
  // Podman stores all lines of `runc --version`.
  const version = ofImage("runtime.version")?.split("\n", 1)[0];
  return name === undefined ? undefined : { name, version: version?.replace(/^\S+ version /, "") };
}

function podOf(config: Json, spec: ReadonlyMap<string, string>, ofImage: OfImage): PodNames | undefined {
  const pod = {
    name: spec.get(`${POD}name`) ?? spec.get(`${CONTAINERD}sandbox-name`) ?? ofImage("pod.name"),
    namespace:
      spec.get(`${POD}namespace`) ?? spec.get(`${CONTAINERD}sandbox-namespace`) ?? ofImage("pod.namespace"),
    id:
      textAt(config, "pod") ??
      spec.get(`${CRI_O}SandboxID`) ??
      spec.get(`${CONTAINERD}sandbox-id`) ??
      ofImage("pod.id"),
    uid: spec.get(`${POD}uid`) ?? spec.get(`${CONTAINERD}sandbox-uid`) ?? ofImage("pod.uid"),
  };
  return Object.values(pod).some((text) => text !== undefined) ? pod : undefined;
}

function timeOf(text: string | undefined): string | undefined {
  return text === undefined || ZERO_TIME.test(text) ? undefined : text;
}

/** Of Podman's `network.status`, {network: {interfaces: {name: {subnets: [{ipnet}]}}}}, or CRI-O's annotations. */
function addressesOf(set: PackagedSet, annotations: ReadonlyMap<string, string>): string[] {
  const networks = membersAt(jsonOf(set, "network.status"));
  const stored = networks.flatMap(([, network]) =>
    membersAt(network, "interfaces").flatMap(([, each]) =>
      listAt(each, "subnets").map((subnet) => textAt(subnet, "ipnet")),
    ),
  );
  const annotated = [...annotations].flatMap(([key, text]) => (key.startsWith(`${CRI_O}IP.`) ? [text] : []));
  return [...stored, ...annotated].filter((text) => text !== undefined);
}

function portOf(mapping: Json): Port {
  return {
    host: numberAt(mapping, "host_port") ?? 0,
    hostAddress: textAt(mapping, "host_ip"),
    container: numberAt(mapping, "container_port") ?? 0,
    protocol: textAt(mapping, "protocol") ?? "tcp",
    count: numberAt(mapping, "range") ?? 1,
  };
}

function userOf(user: Json): string | undefined {
  const [uid, gid] = [numberAt(user, "uid"), numberAt(user, "gid")];
  return uid === undefined ? undefined : `${uid}:${gid ?? 0}`;
}
