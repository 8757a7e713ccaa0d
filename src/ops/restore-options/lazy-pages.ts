import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import { isLazyOnly, readPagemap } from "../../formats/criu/pagemap.js";
import { isCrimgError } from "../../io/errors.js";
import { shellCommand } from "../../io/shell.js";
import type { CriuDocument } from "../../model/document.js";
import type { RestoreOption } from "./option.js";

/** Options for memory that is still in the dumped tasks: criu gets it from a daemon, which gets it from there. */
export function* lazyPages({ checkpoint, set }: CriuDocument): Generator<RestoreOption> {
  const task = checkpoint.tasks.find(({ pid }) => hasLazyPages(set, pid));
  if (task === undefined) return;
  const common = { objects: [`task ${task.pid} (${task.comm})`], from: `pagemap-${task.pid}.img` };
  yield { option: "--lazy-pages", reason: "lazy pages are still on the source host", ...common };
  yield {
    option: "--work-dir",
    value: "DIR",
    open: true,
    reason: `lazy pages come from a daemon that waits in DIR: ${lazyDaemonCommand(set.name)}`,
    ...common,
  };
}

/** Starts the daemon; SOURCE is the host where criu dump --lazy-pages still runs, PORT its port. */
export function lazyDaemonCommand(image: string, directory = "DIR"): string {
  const command = shellCommand(["criu", "lazy-pages", "--images-dir", image, "--work-dir", directory]);
  return `${command} --daemon --page-server --address SOURCE --port PORT`;
}

/** Whether pages of a task are missing in the set; false for a damaged pagemap. */
function hasLazyPages(set: CriuImageSet, pid: number): boolean {
  const image = set.image(IMAGES.PAGEMAP, pid);
  if (image === undefined) return false;
  try {
    return readPagemap(image).flags.some(isLazyOnly);
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return false;
  }
}
