import { criuFacts } from "./backends/backend.js";
import { findCriu } from "./backends/criu/find.js";
import { fileUsers } from "./backends/slim/locks/conflicts.js";
import { probeSlim, slimFacts } from "./backends/slim/probe.js";
import { type Host, hostOf } from "./backends/slim/restore/host.js";
import { SlimBackend } from "./backends/slim/slim-backend.js";
import { besideFilesOf, type HostFacts, hostFilesOf } from "./host-facts.js";
import { isCrimgError } from "./io/errors.js";
import { type HostFiles, LIVE_HOST } from "./linux/host-files.js";
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
): Promise<Pick<ValidateOptions, "criu" | "slim" | "users">> {
  return {
    users: fileUsers(),
    criu: criuFacts(findCriu(criu)),
    slim: criu === undefined ? { problem: await slimProblem(document, LIVE_HOST) } : undefined,
  };
}

/** The same of the host that facts are of, with that host. */
export async function engineFactsOf(
  document: Document,
  facts: HostFacts,
): Promise<Pick<ValidateOptions, "criu" | "slim" | "host">> {
  const host = hostFilesOf(facts);
  const problem = await slimProblem(document, host, hostOf(host, besideFilesOf(facts)));
  return { host, criu: facts.criu, slim: { problem } };
}

/** The first reason why the slim backend cannot restore an image on a host. */
async function slimProblem(image: Document, files: HostFiles, host?: Host): Promise<string | undefined> {
  const slim = new SlimBackend(true, host);
  const probe = probeSlim(slim.choosesIds, slimFacts(files));
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
