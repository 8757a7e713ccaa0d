import { findCriu } from "./backends/criu/find.js";
import { SlimBackend } from "./backends/slim/slim-backend.js";
import { isCrimgError } from "./io/errors.js";
import type { Document } from "./model/document.js";
import type { ValidateOptions } from "./ops/validate/validate.js";
import { restorable } from "./restorable.js";

/**
 * The backends of this host, for validation. `criu`: path of a criu chosen by the user, and then the only backend;
 * without it slim counts too if it can restore the image. Errors: those of the system.
 */
export async function engineFacts(
  document: Document,
  criu: string | undefined,
): Promise<Pick<ValidateOptions, "criu" | "slim">> {
  const probe = findCriu(criu);
  const problem = probe.able ? undefined : probe.reason;
  return {
    criu: { path: probe.path, version: probe.version, problem },
    slim: criu === undefined ? { problem: await slimProblem(document) } : undefined,
  };
}

/** The first reason why the slim backend cannot restore an image here. */
async function slimProblem(image: Document): Promise<string | undefined> {
  const slim = new SlimBackend();
  const probe = slim.probe();
  if (!probe.able) return probe.reason;
  try {
    const { document, losses = [] } = restorable(image, undefined, slim.family);
    const [loss] = losses;
    if (loss !== undefined) return `${loss.object}: ${loss.what} would be lost: ${loss.why}`;
    const [unsupported] = await slim.preflight(document);
    return unsupported?.reason;
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    return error.message; // a damaged image; validation reports the details
  }
}
