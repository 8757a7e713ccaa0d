import { UMASK } from "../../../linux/files.js";
import { message, optional, required, type Value } from "../../../schema/message.js";

export const FS_ENTRY = message("fs_entry", "Current directory, root and file mode mask of a task.", {
  cwd_id: required(1, "uint32", { doc: "id of the open file for the current directory" }),
  root_id: required(2, "uint32", { doc: "id of the open file for the root directory" }),
  umask: optional(3, "uint32", { doc: "mode bits cleared in new files", domain: UMASK, since: "0.4" }),
});
export type FsEntry = Value<typeof FS_ENTRY>;
