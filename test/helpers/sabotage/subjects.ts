import { execFileSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { putIntoGroups } from "../control-groups.js";
import { dump } from "../criu.js";
import { freshDirectory, gone, type Live, program, startProgram, treeOf } from "../live.js";
import { Podman } from "../podman.js";
import { startNginx, startRedis } from "../services.js";
import { checkpointed } from "../slim.js";

/** A checkpoint of a real program, with all that its restore needs as it was at that moment. */
export interface Subject {
  readonly name: string;
  readonly backend: "criu" | "slim" | "podman";
  readonly image: string;
  /** Where the program lives. */
  readonly work: string;
  /** TCP port that it listens on. */
  readonly port: number | undefined;
  /** Directories of the control groups that it is in, made for it. */
  readonly groups: readonly string[];
  /** How its restore is asked for. */
  readonly restore: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Gives image and directory back as they were at the checkpoint. */
  reset(): void;
  /** Removes what a restore leaves besides tasks. */
  clear(): void;
}

type Started = Live & {
  readonly port?: number;
  readonly groups?: readonly string[];
  readonly options: { readonly dump: readonly string[] };
};

/** A program of test/programs that runs from a copy of its own, so that the copy can be exchanged. */
function ownCopy(name: string) {
  return (work: string): Promise<Started> => {
    const exe = join(work, "bin", name);
    mkdirSync(join(work, "bin"));
    copyFileSync(program(name), exe);
    return startProgram(name, work, {}, exe);
  };
}

const script =
  (name: string) =>
  (work: string): Promise<Started> =>
    startProgram(name, work);

/** In control groups of its own. */
async function grouped(work: string): Promise<Started> {
  const live = await startProgram("counter", work);
  return { ...live, groups: putIntoGroups(live.pid, basename(dirname(work))) };
}

const OWN = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, ownCopy(name)]));

/** How each program is started in a directory of its own. */
const PROGRAMS: Readonly<
  Record<"criu" | "slim", Readonly<Record<string, (work: string) => Promise<Started>>>>
> = {
  criu: {
    ...OWN("logger locks deleted sockets threads tree terminal"),
    counter: script("counter"),
    grouped,
    transaction: script("transaction"),
    sqlite: script("journal"),
    redis: startRedis,
    nginx: startNginx,
  },
  slim: {
    ...OWN("logger locks deleted sockets threads tree everything terminals"),
    transaction: script("transaction"),
  },
};

/** Names of all subjects, as `criu logger`. */
export const SUBJECTS = [
  ...Object.entries(PROGRAMS).flatMap(([backend, programs]) =>
    Object.keys(programs).map((name) => `${backend} ${name}`),
  ),
  "podman ticker",
];

/** Starts and checkpoints a program of `SUBJECTS`; it has ended then. */
export async function subject(which: string): Promise<Subject> {
  const [backend, name] = which.split(" ") as [Subject["backend"], string];
  const directory = freshDirectory(name);
  const [work, image] = [join(directory, "work"), join(directory, "image")];
  mkdirSync(work);
  if (backend === "podman") return container(which, name, work, image);
  const starter = PROGRAMS[backend][name];
  if (starter === undefined) throw new Error(`no subject ${which}`);
  const live = await starter(work);
  const { pid, port, groups = [], options } = live;
  const pids = treeOf(pid);
  if (backend === "slim") await checkpointed(live, image);
  else {
    mkdirSync(image);
    await dump(pid, image, [...options.dump]);
  }
  for (const each of pids) await gone(each);
  const putBack = kept(work, image);
  const reset = (): void => {
    putBack();
    for (const group of groups) mkdirSync(group, { recursive: true });
  };
  return {
    ...{ name: which, backend, image, work, port, groups, reset },
    restore: ["restore", image, "--backend", backend, "--detach", "--force"],
    environment: {},
    clear: () => {},
  };
}

/** A container of Podman's with its archive. */
async function container(which: string, name: string, work: string, image: string): Promise<Subject> {
  const engine = new Podman();
  await engine.start(name);
  engine.run("container", "checkpoint", name, "--export", image);
  engine.end();
  return {
    ...{ name: which, backend: "podman", image, work, port: undefined, groups: [] },
    restore: ["restore", image, "--backend", "podman"],
    environment: engine.environment(),
    reset: kept(work, image),
    clear: () => engine.end(),
  };
}

/** Keeps copies of all places; the result puts them back. */
function kept(...places: string[]): () => void {
  for (const place of places) copy(place, `${place}.kept`);
  return () => {
    for (const place of places) putBack(`${place}.kept`, place);
  };
}

/** What was not touched keeps its inode, by which criu knows what was watched. */
function putBack(kept: string, place: string): void {
  const [wanted, there] = [kept, place].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  const isSame =
    wanted !== undefined &&
    there?.mode === wanted.mode &&
    (wanted.isDirectory() || (there.size === wanted.size && there.mtimeMs === wanted.mtimeMs));
  if (!isSame) rmSync(place, { recursive: true, force: true });
  if (!isSame && wanted !== undefined) copy(kept, place);
  else if (wanted?.isDirectory())
    for (const name of new Set([kept, place].flatMap((path) => readdirSync(path))))
      putBack(join(kept, name), join(place, name));
}

/** With sockets, FIFOs, holes, times and owners. */
function copy(from: string, to: string): void {
  execFileSync("cp", ["-aT", from, to]);
}
