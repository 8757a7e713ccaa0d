import type { PreparedRestore, Restart } from "../index.js";
import { shellCommand } from "../index.js";

/** The `--json` answer of crimg restore. */
export function restoreJson(prepared: PreparedRestore, restart?: Restart): object {
  const { backend, because, probe, plan, verdict, options, refusals, command } = prepared;
  return {
    backend: { name: backend.name, because, ...probe },
    criu: command,
    commandLine: shellCommand(command),
    options,
    changes: plan?.changes,
    unmatched: plan?.unmatched,
    valid: verdict.valid,
    findings: verdict.findings.map(({ id, severity, at, ...found }) => ({
      id,
      severity,
      object: at,
      ...found,
    })),
    refusals,
    restart,
  };
}
