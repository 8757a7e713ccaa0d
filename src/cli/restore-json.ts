import type { PlannedStep, PreparedRestore, Restart } from "../index.js";
import { restoreCommandLine } from "./restore-lines.js";

/** What the answer holds besides the prepared restore. */
export interface RestoreOutcome {
  readonly steps?: readonly PlannedStep[];
  readonly restart?: Restart;
}

/** The `--json` answer of crimg restore. */
export function restoreJson(prepared: PreparedRestore, { steps, restart }: RestoreOutcome = {}): object {
  const {
    backend,
    because,
    probe,
    plan,
    verdict,
    options,
    refusals,
    losses,
    convert,
    command,
    owner,
    rights,
  } = prepared;
  return {
    backend: { name: backend.name, because, ...probe },
    convert,
    criu: command,
    commandLine: restoreCommandLine(prepared),
    options,
    steps: command === undefined ? steps : undefined,
    changes: plan?.changes,
    unmatched: plan?.unmatched,
    valid: verdict.valid,
    findings: verdict.findings.map(({ id, severity, at, ...found }) => ({
      id,
      severity,
      object: at,
      ...found,
    })),
    losses,
    refusals,
    owner: owner?.name,
    rights,
    restart,
  };
}
