import { execFileSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dump } from "../criu.js";
import { freshDirectory, gone, type Live, program, startProgram, treeOf } from "../live.js";
import { startNginx, startRedis } from "../services.js";
import { checkpointed } from "../slim.js";

/** A checkpoint of a real program, with all that its restore needs as it was at that moment. */
export interface Subject {
  readonly name: string;
  readonly backend: "criu" | "slim";
  readonly image: string;
  /** Where the program lives. */
  readonly work: string;
  /** TCP port that it listens on. */
  readonly port: number | undefined;
  /** Gives image and directory back as they were at the checkpoint. */
  reset(): void;
}

type Started = Live & { readonly port?: number; readonly options: { readonly dump: readonly string[] } };

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

const OWN = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, ownCopy(name)]));

/** How each program is started in a directory of its own. */
const PROGRAMS: Readonly<
  Record<Subject["backend"], Readonly<Record<string, (work: string) => Promise<Started>>>>
> = {
  criu: {
    ...OWN("logger locks deleted sockets threads tree terminal"),
    counter: script("counter"),
    transaction: script("transaction"),
    redis: startRedis,
    nginx: startNginx,
  },
  slim: {
    ...OWN("logger locks deleted sockets threads tree everything terminals"),
    transaction: script("transaction"),
  },
};

/** Names of all subjects, as `criu logger`. */
export const SUBJECTS = Object.entries(PROGRAMS).flatMap(([backend, programs]) =>
  Object.keys(programs).map((name) => `${backend} ${name}`),
);

/** Starts and checkpoints a program of `SUBJECTS`; it has ended then. */
export async function subject(which: string): Promise<Subject> {
  const [backend, name] = which.split(" ") as [Subject["backend"], string];
  const starter = PROGRAMS[backend][name];
  if (starter === undefined) throw new Error(`no subject ${which}`);
  const directory = freshDirectory(name);
  const [work, image] = [join(directory, "work"), join(directory, "image")];
  mkdirSync(work);
  const live = await starter(work);
  const pids = treeOf(live.pid);
  if (backend === "slim") await checkpointed(live, image);
  else {
    mkdirSync(image);
    await dump(live.pid, image, [...live.options.dump]);
  }
  for (const pid of pids) await gone(pid);
  const [keptWork, keptImage] = [join(directory, "kept-work"), join(directory, "kept-image")];
  copy(work, keptWork);
  copy(image, keptImage);
  const reset = (): void => {
    putBack(keptImage, image);
    putBack(keptWork, work);
  };
  return { name: which, backend, image, work, port: live.port, reset };
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
