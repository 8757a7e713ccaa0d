import type { SetContext } from "../context.js";
import type { Host } from "./host.js";

/** What rules about this machine look at. */
export interface HostContext {
  readonly set: SetContext;
  readonly host: Host;
}
