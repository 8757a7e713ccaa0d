import type { ContainerFacts } from "../../../formats/archive/container.js";
import { JsonText } from "../../../formats/archive/json-text.js";
import type { PackagedSet } from "../../../formats/archive/package.js";
import { madeFile, type PackedMember } from "../../../formats/archive/tar/pack.js";
import { joined } from "../../../formats/archive/tree.js";
import { UnsupportedError } from "../../../io/errors.js";
import type { ByteSource } from "../../../io/source.js";
import { SplicedSource } from "../../../io/splice.js";

/** Files that CRI-O restores beside the images (cri-o, internal/lib/restore.go); it passes over others. */
const TAKEN = new Set([
  "spec.dump",
  "rootfs-diff.tar",
  "deleted.files",
  "stats-dump",
  "bind.mounts",
  "artifacts",
]);
const MANAGER = ["annotations", "io.container.manager"];
const ENGINE = "cri-o";
const ZERO_TIME = "0001-01-01T00:00:00Z";

/** The files beside the images as CRI-O has them, with a short configuration, and what of them it does not restore. */
export function forCriO(
  all: Iterable<PackedMember>,
  set: PackagedSet,
  facts: ContainerFacts,
): { readonly members: readonly PackedMember[]; readonly notes: readonly string[] } {
  const members: PackedMember[] = [madeFile("config.dump", configText(facts))];
  const left = new Set<string>();
  for (const member of all) {
    const [first = ""] = member.path.split("/");
    if (first === "config.dump" || first === "network.status") continue;
    if (!TAKEN.has(first)) left.add(first);
    else if (first !== "spec.dump") members.push(member);
    else members.push({ ...member, content: annotated(member.content as ByteSource, facts) });
  }
  if (set.tree.open(joined(set.base, "bind.mounts")) === undefined)
    members.push(madeFile("bind.mounts", bindMounts(facts)));
  return { members, notes: [...left].map((name) => `${name} is left out: CRI-O does not restore it`) };
}

function configText({ id, name, image, runtime, created, checkpointed }: ContainerFacts): string {
  return JSON.stringify({
    ...{ id, name, rootfsImage: image.name, rootfsImageRef: image.id, rootfsImageName: image.name },
    ...{ runtime: runtime?.name, createdTime: created ?? ZERO_TIME },
    ...{ checkpointedTime: checkpointed ?? ZERO_TIME, restoredTime: ZERO_TIME, restored: false },
  });
}

/** CRI-O names, labels and annotates the container by what the specification says. Errors: UNSUPPORTED without annotations. */
function annotated(source: ByteSource, { name, annotations }: ContainerFacts): ByteSource {
  const needed = {
    "io.kubernetes.cri-o.Metadata": JSON.stringify({ name: name ?? "" }),
    "io.kubernetes.cri-o.Annotations": "{}",
    "io.kubernetes.cri-o.Labels": "{}",
  };
  const missing = Object.entries(needed).filter(([key]) => !annotations.has(key));
  const json = new JsonText(source, (path) => path.join("\0") === MANAGER.join("\0"));
  if (!json.addBehind(MANAGER, Object.fromEntries(missing)))
    throw new UnsupportedError(
      `the specification has no annotation ${MANAGER[1]}, by which engines know theirs`,
      {
        file: source.name,
      },
    );
  json.set(MANAGER, ENGINE);
  return new SplicedSource(source, json.splices());
}

/** What CRI-O makes on the host when it is missing there (cri-o, internal/lib/checkpoint.go). */
function bindMounts({ mounts }: ContainerFacts): string {
  const isFile = (destination: string): boolean =>
    /^\/(etc\/(hosts|hostname|resolv\.conf)|run\/\.containerenv)$/.test(destination);
  return JSON.stringify(
    mounts
      .filter(({ type }) => type === "bind")
      .map(({ source, destination }) => ({
        ...{ source, destination, file_type: isFile(destination) ? "file" : "directory" },
        permissions: isFile(destination) ? 0o644 : 0o755,
      })),
  );
}
