import { UnsupportedError } from "../io/errors.js";
import type { Document } from "../model/document.js";
import type { Backend, BackendName } from "./backend.js";
import { CriuBackend } from "./criu/criu-backend.js";

/** Backends by the name that a user types; `auto` chooses by the format. */
export const BACKENDS: readonly ("auto" | BackendName)[] = ["auto", "criu"];

export interface BackendChoice {
  readonly backend: Backend;
  /** Why this one, one clause. */
  readonly reason: string;
}

/** The backend for a document. `criu`: path of the criu to use. Errors: UnsupportedError when none reads the format. */
export function backendFor(
  document: Document,
  name: "auto" | BackendName,
  { criu }: { readonly criu?: string | undefined } = {},
): BackendChoice {
  if (document.family !== "criu")
    throw new UnsupportedError("no backend restores this format yet", { file: document.name });
  const reason = name === "criu" ? "asked for" : "the set is of criu";
  return { backend: new CriuBackend(criu), reason };
}
