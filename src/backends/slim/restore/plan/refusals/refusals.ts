import type { Host } from "../../host.js";
import type { Image } from "../../image.js";
import { unsupportedVmas } from "./areas.js";
import { unsupportedCapabilities } from "./capabilities.js";
import { unsupportedFiles } from "./files.js";
import { unsupportedLocks } from "./locks.js";
import { unsupportedNamespaces } from "./namespaces.js";
import { unsupportedArchitecture, unsupportedProcessor } from "./processor.js";
import { unsupportedSockets } from "./sockets.js";
import { unsupportedTasks } from "./tasks.js";
import { unsupportedTerminals } from "./terminals.js";

/** What stands in the way of a restart for a reason of this kind: a sentence for each object. */
type Reason = (image: Image, host: Host) => string[];

const REASONS: readonly Reason[] = [
  unsupportedCapabilities,
  unsupportedProcessor,
  unsupportedTasks,
  unsupportedNamespaces,
  unsupportedVmas,
  unsupportedFiles,
  unsupportedTerminals,
  unsupportedLocks,
  unsupportedSockets,
];

/**
 * What in an image cannot be brought back on this host, one sentence an object; empty when the restart can be tried.
 * Pure but for what `host` is asked. Errors: FormatError for a damaged image.
 */
export function unsupportedOf(image: Image, host: Host): string[] {
  const architecture = unsupportedArchitecture(image, host);
  if (architecture.length > 0) return architecture;
  return REASONS.flatMap((reason) => reason(image, host));
}
