import { IMAGES } from "../../../formats/criu/images.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
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
    const cwdRef = deletedDirectory(context, pid, "working directory", cwd);
    const rootRef = deletedDirectory(context, pid, "root directory", root);
    context.writer.record(RECORDS.FS, { umask: umask ?? 0 });
    context.writer.text(RECORDS.FILE_NAME, nameOf(context, pid, "working directory", cwd));
    context.writer.text(RECORDS.FILE_NAME, nameOf(context, pid, "root directory", root));
    const modes = { cwd_mode: cwd?.mode ?? 0, root_mode: root?.mode ?? 0 };
    if (cwdRef !== 0 || rootRef !== 0 || modes.cwd_mode !== 0 || modes.root_mode !== 0)
      context.writer.record(RECORDS.FS_EXTRA, { cwd_objref: cwdRef, root_objref: rootRef, ...modes });
  });
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
