import { IMAGES } from "../../../formats/criu/images.js";
import { encodeDirectories, type StoredDirectory } from "../../../model/linux-cr/directories.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";
import { writeFile } from "./files.js";

/** FS object of a task: umask, working directory, root. Tasks that share them (`fsId`) share the object. */
export function writeFs(context: Context, pid: number, fsId: number = pid): number {
  return context.ref("FS", fsId, () => {
    const { cwd_id: cwdId, root_id: rootId, umask } = context.set.required(IMAGES.FS, pid);
    const cwd = context.files.all.get(cwdId, "REG");
    const root = context.files.all.get(rootId, "REG");
    // Directories that are gone come back as files do; their objects stand before the record that needs them.
    const directories = {
      umask,
      cwd: directory(context, pid, "working directory", cwd),
      root: directory(context, pid, "root directory", root),
    };
    context.writer.records(encodeDirectories(directories));
  });
}

function directory(context: Context, pid: number, what: string, file: OpenFile | undefined): StoredDirectory {
  const objref = deletedDirectory(context, pid, what, file);
  return { objref, path: nameOf(context, pid, what, file), mode: file?.mode ?? 0 };
}

function deletedDirectory(context: Context, pid: number, what: string, file: OpenFile | undefined): number {
  if (file === undefined) return 0;
  context.files.used.nodes.add(file.id);
  return file.deleted === undefined ? 0 : writeFile(context, file.id, `${what} of task ${pid}`, "REG");
}

function nameOf(context: Context, pid: number, what: string, file: OpenFile | undefined): string {
  if (file?.path !== undefined) return file.path;
  context.losses.add(
    `task ${pid}`,
    `its ${what}`,
    file === undefined
      ? "the set has no open file for it"
      : "it is outside of the set and handed over at the restore",
  );
  return "/";
}
