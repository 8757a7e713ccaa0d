import type { ContainerFacts } from "../../../formats/archive/container.js";
import { madeFile, type PackedMember, packedTar } from "../../../formats/archive/tar/pack.js";
import { ConcatSource } from "../../../io/concat.js";
import { sha256 } from "../../../io/digest.js";
import { type ByteSource, MemorySource } from "../../../io/source.js";

const MEDIA_TYPES = {
  layer: "application/vnd.oci.image.layer.v1.tar",
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
} as const;

/** Names of architectures in Go, which OCI images use. */
const GO_ARCH: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  i386: "386",
  aarch64: "arm64",
  ppc64le: "ppc64le",
  s390x: "s390x",
};

/** An OCI layout in a tar archive (`oci-archive`) of one image, whose layer is a container archive. */
export function ociLayout(layer: ByteSource, facts: ContainerFacts, architecture: string): ByteSource {
  const annotations = annotationsOf(facts);
  const blobs: PackedMember[] = [];
  const stored = (mediaType: string, content: ByteSource): object => {
    const digest = sha256(content);
    blobs.push({ ...madeFile(`blobs/sha256/${digest}`, ""), content });
    return { mediaType, digest: `sha256:${digest}`, size: content.size };
  };
  const json = (value: object): ByteSource =>
    new MemorySource(Buffer.from(JSON.stringify(value)), layer.name);
  const layers = [stored(MEDIA_TYPES.layer, layer)];
  const [diff] = layers as [{ digest?: string }];
  const config = stored(
    MEDIA_TYPES.config,
    json({
      ...{ architecture: GO_ARCH[architecture] ?? architecture, os: "linux", config: {} },
      rootfs: { type: "layers", diff_ids: [diff.digest] },
      history: [{ created_by: "crimg convert" }],
    }),
  );
  const manifest = stored(
    MEDIA_TYPES.manifest,
    json({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers, annotations }),
  );
  const named = { ...manifest, annotations };
  return new ConcatSource(
    layer.name,
    packedTar([
      madeFile("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })),
      // containerd looks at the annotations of the index, CRI-O and Podman at those of the manifest.
      madeFile("index.json", JSON.stringify({ schemaVersion: 2, manifests: [named], annotations })),
      ...blobs,
    ]),
  );
}

/** Those of checkpointctl, of Podman and of CRI-O (checkpointctl, internal/config.go; podman, libpod/define/annotations.go). */
function annotationsOf(facts: ContainerFacts): Record<string, string> {
  const { name, image, engine, runtime, pod, host, criuVersion } = facts;
  const all: Readonly<Record<string, string | undefined>> = {
    "org.criu.checkpoint.engine.name": engine?.name.toLowerCase(),
    "org.criu.checkpoint.engine.version": engine?.version,
    "org.criu.checkpoint.container.name": name,
    "org.criu.checkpoint.pod.name": pod?.name,
    "org.criu.checkpoint.pod.namespace": pod?.namespace,
    "org.criu.checkpoint.pod.id": pod?.id,
    "org.criu.checkpoint.pod.uid": pod?.uid,
    "org.criu.checkpoint.rootfsImageName": image.name,
    "org.criu.checkpoint.rootfsImageUserRequested": image.name,
    "org.criu.checkpoint.rootfsImageID": image.id,
    "org.criu.checkpoint.runtime.name": runtime?.name,
    "org.criu.checkpoint.runtime.version": runtime?.version,
    "org.criu.checkpoint.criu.version": criuVersion,
    "org.criu.checkpoint.host.arch": host.arch,
    "org.criu.checkpoint.host.kernel": host.kernel,
    ...family("io.podman.annotations.checkpoint.", facts),
    ...family("io.kubernetes.cri-o.annotations.checkpoint.", facts),
  };
  return Object.fromEntries(
    Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined && each[1] !== ""),
  );
}

/** The keys that both engines look at, under the prefix of each. */
function family(
  prefix: string,
  { name, image, runtime }: ContainerFacts,
): Record<string, string | undefined> {
  return {
    [`${prefix}name`]: name,
    [`${prefix}rawImageName`]: image.name,
    [`${prefix}rootfsImageID`]: image.id,
    [`${prefix}rootfsImageName`]: image.name,
    [`${prefix}runtime.name`]: runtime?.name,
  };
}
