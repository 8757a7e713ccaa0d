import type { RestoreContext } from "../construction.js";
import type { Step } from "../plan/plan.js";

/** How the steps of some kinds are done. Errors: BackendError naming the task and what the kernel refused. */
export type Builders<S extends Step> = {
  readonly [K in S["kind"]]: (context: RestoreContext, step: Extract<S, { kind: K }>) => void;
};
