import { type Image, liveProcesses } from "../image.js";
import type { StepBase } from "./step.js";

/** File system context of a process, path_resolution(7). */
export type DirectoryStep =
  | (StepBase & { readonly kind: "working directory"; readonly path: string; readonly file: number })
  | (StepBase & { readonly kind: "root directory"; readonly path: string })
  | (StepBase & { readonly kind: "umask"; readonly umask: number });

/** As crimg sees it, whatever its own root directory is. */
const HOST_ROOT = "/";

/** The root first: whoever has one of its own may work outside of it. */
export function directorySteps(image: Image): DirectoryStep[] {
  return liveProcesses(image).flatMap(({ process, objects }): DirectoryStep[] => {
    const task = process.ids.pid;
    const { umask, cwd, cwdFile, root } = image.fs(objects.fs_objref ?? 0);
    return [
      ...(root === HOST_ROOT
        ? []
        : [{ kind: "root directory", task, path: root, what: `make ${root} its root` } as const]),
      {
        kind: "working directory",
        task,
        path: cwd,
        file: cwdFile,
        what: `enter ${cwd}${cwdFile === 0 ? "" : " (deleted)"}`,
      },
      { kind: "umask", task, umask, what: `set its umask to 0${umask.toString(8)}` },
    ];
  });
}
