import type { Document } from "../model/document.js";
import type { Backend, BackendName } from "./backend.js";
import { CriuBackend } from "./criu/criu-backend.js";

/** Backends by the name that a user types: `auto` chooses by the format; `slim`, crimg's own engine, is asked for. */
export const BACKENDS: readonly ("auto" | "slim" | BackendName)[] = ["auto", "criu", "slim"];

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one, one clause. */
  readonly reason: string;
}

/** The backend for a document. `criu`: path of the criu to use. */
export function backendFor(
  document: Document,
  name: "auto" | BackendName,
  { criu }: { readonly criu?: string | undefined } = {},
): BackendChoice {
  const found =
    document.family === "criu" ? "the set is of criu" : "criu restores the set that the stream converts into";
  const reason = name === "criu" ? "asked for" : found;
  return { backend: new CriuBackend(criu), reason };
}
