import { ownRecords } from "../formats/linux-cr/own-records.js";
import type { Document } from "../model/document.js";
import type { Backend, BackendName } from "./backend.js";
import { CriuBackend } from "./criu/criu-backend.js";
import { SlimBackend } from "./slim/slim-backend.js";

/** Backends by the name that a user types: `auto` chooses by the format and by what this host can do. */
export const BACKENDS: readonly ("auto" | BackendName)[] = ["auto", "criu", "slim"];

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one, one clause. */
  readonly reason: string;
}

export interface BackendSettings {
  /** Path of the criu to use. */
  readonly criu?: string | undefined;
  /** Whether the tasks are to get the ids that they had. */
  readonly choosesIds?: boolean | undefined;
}

/**
 * The backend for a document. Without a name: the slim backend for streams that crimg checkpoint wrote, criu for all
 * else; the other one where only that can work on this host.
 */
export function backendFor(
  document: Document,
  name: "auto" | BackendName,
  { criu, choosesIds = true }: BackendSettings = {},
): BackendChoice {
  const engines = { criu: () => new CriuBackend(criu), slim: () => new SlimBackend(choosesIds) };
  if (name !== "auto") return { backend: engines[name](), reason: "it was asked for" };
  const isOwn = isOfCheckpoint(document);
  const first = isOwn ? engines.slim() : engines.criu();
  const own = isOwn ? "crimg checkpoint wrote the stream" : usual(document);
  const probe = first.probe();
  if (probe.able) return { backend: first, reason: own };
  const second = isOwn ? engines.criu() : engines.slim();
  if (!second.probe().able) return { backend: first, reason: own };
  return { backend: second, reason: `it can work here and ${first.name} cannot: ${probe.reason}` };
}

function usual({ family }: Document): string {
  return family === "criu" ? "the set is of criu" : "criu restores the set that the stream converts into";
}

/** Whether crimg checkpoint wrote the stream, perhaps edited since. */
function isOfCheckpoint(document: Document): boolean {
  if (document.family !== "linux-cr") return false;
  return ownRecords(document.image).extensions?.writer === "crimg checkpoint";
}
