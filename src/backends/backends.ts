import { ownRecords } from "../formats/linux-cr/own-records.js";
import type { Document } from "../model/document.js";
import type { Backend, BackendName } from "./backend.js";
import { CriuBackend } from "./criu/criu-backend.js";
import { SlimBackend } from "./slim/slim-backend.js";

/** Backends by name: `auto` chooses by the format and by what works on this host. */
export const BACKENDS: readonly ("auto" | BackendName)[] = ["auto", "criu", "slim"];

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one, one clause. */
  readonly reason: string;
}

export interface BackendSettings {
  /** Path of the criu to use. */
  readonly criu?: string | undefined;
  /** Whether the tasks keep their pids. */
  readonly choosesIds?: boolean | undefined;
}

/**
 * The backend for a document. By default slim for streams of crimg checkpoint, criu for the rest; the other one if only
 * that works on this host.
 */
export function backendFor(
  document: Document,
  name: "auto" | BackendName,
  { criu, choosesIds = true }: BackendSettings = {},
): BackendChoice {
  const engines = { criu: () => new CriuBackend(criu), slim: () => new SlimBackend(choosesIds) };
  if (name !== "auto") return { backend: engines[name](), reason: "requested" };
  const isOwn = isOfCheckpoint(document);
  const first = isOwn ? engines.slim() : engines.criu();
  const own = isOwn ? "the stream was written by crimg checkpoint" : usual(document);
  const probe = first.probe();
  if (probe.able) return { backend: first, reason: own };
  const second = isOwn ? engines.criu() : engines.slim();
  if (!second.probe().able) return { backend: first, reason: own };
  return { backend: second, reason: `${first.name} does not work here: ${probe.reason}` };
}

function usual({ family }: Document): string {
  return family === "criu" ? "a CRIU set" : "the stream is converted to a CRIU set";
}

/** Whether crimg checkpoint wrote the stream, possibly edited since. */
function isOfCheckpoint(document: Document): boolean {
  if (document.family !== "linux-cr") return false;
  return ownRecords(document.image).extensions?.writer === "crimg checkpoint";
}
