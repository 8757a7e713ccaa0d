import type { Document } from "../../model/document.js";
import type * as model from "../../model/ipc.js";
import { hex, type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface IpcView extends ViewHead<"ipc"> {
  readonly namespaces: readonly ShownIpcNamespace[];
  /** Why it is empty. */
  readonly note?: string | undefined;
}

export interface ShownIpcNamespace extends Pick<model.IpcNamespace, "id" | "limits"> {
  readonly segments: readonly Shown<model.IpcSegment>[];
  readonly queues: readonly Shown<model.IpcQueue>[];
  readonly semaphores: readonly Shown<model.IpcSemaphores>[];
}

/** Keys as hexadecimal text, modes as octal text. */
type Shown<T extends model.IpcObject> = Omit<T, "key" | "mode"> & {
  readonly key: string;
  readonly mode: string;
};

/** SysV shared memory, message queues and semaphores. */
export function ipcView({ family, checkpoint }: Document, _options: ShowOptions = {}): IpcView {
  const why = family === "criu" ? "shared with criu" : "none in the stream";
  const note = checkpoint.ipcNamespaces.length > 0 ? undefined : why;
  const namespaces = checkpoint.ipcNamespaces.map(({ id, limits, segments, queues, semaphores }) => ({
    ...{ id, limits },
    segments: segments.map(shown),
    queues: queues.map(shown),
    semaphores: semaphores.map(shown),
  }));
  return { ...viewHead("ipc"), namespaces, note };
}

function shown<T extends model.IpcObject>(object: T): Shown<T> {
  return { ...object, key: hex(object.key), mode: `0${object.mode.toString(8)}` };
}
