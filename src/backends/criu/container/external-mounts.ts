import fs from "node:fs";
import type { ContainerFacts } from "../../../formats/archive/container.js";
import { storedVolumes } from "../../../formats/archive/contents.js";
import type { PackagedSet } from "../../../formats/archive/package.js";
import type { UnpackOptions } from "../../../formats/archive/tar/unpack.js";
import type { Mount } from "../../../model/checkpoint.js";
import type { RestoreOption } from "../../../ops/restore-options/option.js";
import { stillNeeded } from "../command-line.js";
import { groupDirectory } from "./control-groups.js";
import type { ContainerRoot } from "./root.js";

const SHARED_MEMORY = "/dev/shm";
const ANY_MAY_WRITE = 0o1777;

/** Files that an engine makes for each container, by where it mounts them. */
const MADE: Readonly<Record<string, (hostname: string) => string>> = {
  "/etc/hosts": (hostname) => `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost\n`,
  "/etc/hostname": (hostname) => `${hostname}\n`,
  "/etc/resolv.conf": () => readIfThere("/etc/resolv.conf"),
  "/run/.containerenv": () => "",
  "/dev/termination-log": () => "",
};

/** What external mounts are answered from. */
export interface MountSources {
  readonly root: ContainerRoot;
  readonly set: PackagedSet;
  readonly facts: ContainerFacts;
  readonly mounts: readonly Mount[];
  /** Arguments of the user for criu: a mount that they answer is left to them. */
  readonly extra: readonly string[];
  /** Whether files of this host are mounted because the archive says so; else why not. */
  readonly mayMountHost: true | string;
  readonly unpack: UnpackOptions;
}

export interface AnsweredMounts {
  readonly options: readonly RestoreOption[];
  /** Mounts without an answer, as sentences. */
  readonly refusals: readonly string[];
  /** Mounts of a file, by key. */
  readonly files: ReadonlySet<string>;
}

interface Answer {
  readonly source: string;
  readonly reason: string;
}

/** The options of criu for the external mounts of a container. Errors: FormatError, IO for a volume that is not unpacked. */
export function answeredMounts(sources: MountSources): AnsweredMounts {
  const options: RestoreOption[] = [];
  const refusals: string[] = [];
  const files = new Set<string>();
  const seen = new Set<string>();
  for (const mount of sources.mounts) {
    const key = mount.externalKey;
    if (key === undefined || !/^\/[^\]]*$/.test(key) || seen.has(key)) continue;
    seen.add(key);
    const about = { option: "--external", objects: [mount.mountpoint], from: mount.origin.image };
    if (stillNeeded([{ ...about, value: `mnt[${key}]:`, reason: "" }], sources.extra).length === 0) continue;
    const answer = answerFor(mount, key, sources);
    if (answer === undefined) continue; // criu's needs ask for it
    if (typeof answer === "string") refusals.push(answer);
    else {
      options.push({ ...about, value: `mnt[${key}]:${answer.source}`, reason: answer.reason });
      if (fs.statSync(answer.source, { throwIfNoEntry: false })?.isDirectory() === false) files.add(key);
    }
  }
  return { options, refusals, files };
}

/** The answer, or why there is none; undefined where the archive does not tell. */
function answerFor(mount: Mount, key: string, sources: MountSources): Answer | string | undefined {
  const { root, set, facts, mayMountHost, unpack } = sources;
  if (key === "/dev/null") return { source: key, reason: "masks a file of the kernel" };
  if (mount.fileSystem === "cgroup") {
    const source = groupDirectory(mount.options, mount.root);
    return source && { source, reason: "control group" };
  }
  const stored = storedVolumes(set).find(
    ({ name }) => (name === undefined ? SHARED_MEMORY : facts.volumes.get(name)) === key,
  );
  if (stored !== undefined)
    return {
      source: root.volume(stored.source, key === SHARED_MEMORY ? ANY_MAY_WRITE : 0o755, unpack),
      reason:
        stored.name === undefined ? "shared memory in the archive" : `volume ${stored.name} in the archive`,
    };
  if (key === SHARED_MEMORY)
    return { source: root.volume(undefined, ANY_MAY_WRITE, unpack), reason: "new shared memory" };
  const text = MADE[key];
  if (text !== undefined)
    return { source: root.file(text(facts.hostname ?? "localhost")), reason: "as an engine makes it" };
  const told = facts.mounts.find(({ destination }) => destination === key);
  if (told === undefined) return undefined;
  const other = `name another: -- --external 'mnt[${key}]:PATH'`;
  if (mayMountHost !== true)
    return `the mount ${key} is ${told.source} of this host, and ${mayMountHost}; or ${other}`;
  if (told.source.startsWith("/") && fs.existsSync(told.source))
    return { source: told.source, reason: "bind mount of this host" };
  return `the mount ${key} is ${told.source} of the host, which is missing; make it, or ${other}`;
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
