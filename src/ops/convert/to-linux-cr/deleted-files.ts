import type { SavedFile } from "../../../model/linux-cr/deleted-files.js";
import type { FileNumbers } from "../../../model/linux-cr/files.js";
import type { OpenFile } from "../../../model/open-file.js";
import type { Context } from "./context.js";

/**
 * How a path comes back that was gone, with the number of its inode where its contents are in the stream; undefined for
 * one that was there, and for one that is lost.
 */
export function deletedFile(
  context: Context,
  node: OpenFile,
): (Pick<FileNumbers, "inode"> & { readonly saved: SavedFile }) | undefined {
  const { deleted } = node;
  if (deleted === undefined) return undefined;
  const { method, keptIn, keptFile, ghost } = deleted;
  const lost = (what: string, why: string): undefined =>
    context.losses.add(`open file ${node.id} (${node.label})`, what, why) as undefined;
  if (method === "ghost") {
    if (ghost === undefined) return lost("its contents", `the set has no ${keptIn}`);
    return { saved: deleted, inode: context.hidden("INODE", keptIn) };
  }
  if (method !== "link remap")
    return lost(
      method === "process" ? "that it stands in /proc of a dead process" : "how it comes back",
      method === "process"
        ? `linux-cr cannot bring back process ${keptIn.slice("pid ".length)} for it`
        : `the type ${method} of the remap is unknown`,
    );
  if (keptFile?.path === undefined)
    return lost("the name under which it was kept", `the set has no open ${keptIn.replace(" id", "")}`);
  context.files.used.nodes.add(keptFile.id);
  return { saved: deleted };
}
