import type { ImageContext, SetContext } from "../context.js";
import type { StreamContext } from "../stream/context.js";
import type { Host } from "./host.js";

/** What rules about this machine look at. */
export interface HostContext {
  readonly image: ImageContext;
  readonly host: Host;
}

/** The same of a CRIU set. */
export interface SetHostContext extends HostContext {
  readonly image: SetContext;
}

/** The same of a linux-cr stream. */
export interface StreamHostContext extends HostContext {
  readonly image: StreamContext;
}

/** Whether criu is to restore the image: a stream only where the slim backend does not. */
export function isForCriu({ image, host: { criu, slim } }: HostContext): boolean {
  if (criu === undefined || criu.problem !== undefined) return false;
  return image.family === "criu" || slim === undefined || slim.problem !== undefined;
}
