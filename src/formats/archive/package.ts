import type { ByteSource } from "../../io/source.js";
import type { FileTree } from "./tree.js";

/** What packages of checkpoints there are, and who makes them. */
export const FORMS = {
  container: { title: "container archive", maker: "Podman, CRI-O, containerd" },
  "pre-checkpoint": { title: "pre-checkpoint archive", maker: "Podman" },
  oci: { title: "OCI checkpoint image", maker: "CRI-O, Podman, buildah" },
  containerd: { title: "containerd checkpoint image", maker: "containerd" },
  pod: { title: "pod checkpoint", maker: "Kubernetes" },
  "old-pod": { title: "pod archive", maker: "prototypes of CRI-O and containerd" },
  stream: { title: "CRIU stream", maker: "criu-image-streamer" },
  snapshot: { title: "snapshot artifact", maker: "NVIDIA snapshot" },
  cedana: { title: "cedana dump", maker: "cedana" },
  docker: { title: "Docker checkpoint", maker: "Docker" },
  sets: { title: "archive of image sets", maker: "tar" },
} as const;

export type Form = keyof typeof FORMS;

/** The file of another tree that the tree of a set is in. */
export interface Within {
  readonly tree: FileTree;
  readonly file: string;
  /** A layer of an image, the images of a containerd checkpoint, or the archive of a container of a pod. */
  readonly as: "layer" | "containerd" | "pod";
  /** Of a containerd checkpoint: the file with the specification. */
  readonly spec?: string | undefined;
}

/** A container, or a set without one, in a package: files named as in a container archive. */
export interface PackagedSet {
  /** What stands behind `ARCHIVE//`; empty for a set that is alone. */
  readonly path: string;
  readonly form: Form;
  readonly tree: FileTree;
  /** Directory in `tree` with `config.dump`, `spec.dump` and so on. */
  readonly base: string;
  /** Directory in `tree` with the images; undefined when there are none, as `reason` says. */
  readonly images: string;
  /** Annotations of the image that it was taken from. */
  readonly annotations: ReadonlyMap<string, string>;
  /** The files that its tree is in, the innermost first; undefined for the tree of the package. */
  readonly within?: readonly Within[] | undefined;
}

/** An opened package: an archive, an image or a directory of an engine. */
export interface Package {
  readonly form: Form;
  readonly name: string;
  /** The file that it is, compressed or not; undefined for a directory. */
  readonly file?: ByteSource | undefined;
  readonly sets: readonly PackagedSet[];
  /** The files that describe all sets: of a pod. */
  readonly tree: FileTree;
  /** What to know before its contents are believed: sentences. */
  readonly doubts: readonly string[];
  close(): void;
}
