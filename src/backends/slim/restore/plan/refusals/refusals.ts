import type { Host } from "../../host.js";
import type { Image } from "../../image.js";
import { areaRefusals } from "./areas.js";
import { capabilityRefusals } from "./capabilities.js";
import { fileRefusals } from "./files.js";
import { lockRefusals } from "./locks.js";
import { namespaceRefusals } from "./namespaces.js";
import { architectureRefusals, processorRefusals } from "./processor.js";
import { socketRefusals } from "./sockets.js";
import { taskRefusals } from "./tasks.js";
import { terminalRefusals } from "./terminals.js";

/** What stands in the way of a restart for a reason of this kind: a sentence for each object. */
type Reason = (image: Image, host: Host) => string[];

const REASONS: readonly Reason[] = [
  capabilityRefusals,
  processorRefusals,
  taskRefusals,
  namespaceRefusals,
  areaRefusals,
  fileRefusals,
  terminalRefusals,
  lockRefusals,
  socketRefusals,
];

/**
 * What in an image cannot be brought back on this host, one sentence an object; empty when the restart can be tried.
 * Pure but for what `host` is asked. Errors: FormatError for a damaged image.
 */
export function refusalsOf(image: Image, host: Host): string[] {
  const architecture = architectureRefusals(image, host);
  if (architecture.length > 0) return architecture;
  return REASONS.flatMap((reason) => reason(image, host));
}
