import { hex } from "../../io/hex.js";
import type { Document } from "../../model/document.js";
import type * as model from "../../model/ipc.js";
import { type ShowOptions, type ViewHead, viewHead } from "./view.js";

export interface IpcView extends ViewHead<"ipc"> {
  readonly namespaces: readonly ShownIpcNamespace[];
  /** Why it is empty. */
  readonly note?: string | undefined;
}

export interface ShownIpcNamespace extends Pick<model.IpcNamespace, "id"> {
  readonly limits: model.IpcNamespace["record"];
  readonly segments: readonly (Shown & Pick<model.IpcSegment, "size" | "contents">)[];
  readonly queues: readonly (Shown & Pick<model.IpcQueue, "messages" | "bytes" | "maxBytes">)[];
  readonly semaphores: readonly (Shown & Pick<model.IpcSemaphores, "values">)[];
}

/** Keys as hexadecimal text, modes as octal text. */
interface Shown extends Pick<model.IpcObject, "id" | "uid" | "gid"> {
  readonly key: string;
  readonly mode: string;
}

/** SysV shared memory, message queues and semaphores. */
export function ipcView({ family, checkpoint }: Document, _options: ShowOptions = {}): IpcView {
  const why = family === "criu" ? "shared with criu" : "none in the stream";
  const note = checkpoint.ipcNamespaces.length > 0 ? undefined : why;
  const namespaces = checkpoint.ipcNamespaces.map(({ id, record, segments, queues, semaphores }) => ({
    ...{ id, limits: record },
    segments: segments.map((each) => ({ ...shown(each), size: each.size, contents: each.contents })),
    queues: queues.map((each) => {
      const { messages, bytes, maxBytes } = each;
      return { ...shown(each), messages, bytes, maxBytes };
    }),
    semaphores: semaphores.map((each) => ({ ...shown(each), values: each.values })),
  }));
  return { ...viewHead("ipc"), namespaces, note };
}

function shown({ id, key, uid, gid, mode }: model.IpcObject): Shown {
  return { id, key: hex(key), uid, gid, mode: `0${mode.toString(8)}` };
}
