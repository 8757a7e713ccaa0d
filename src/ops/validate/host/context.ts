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
