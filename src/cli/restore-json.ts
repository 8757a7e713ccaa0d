import type { PreparedRestore, Restart } from "../index.js";
import { restoreCommandLine } from "./restore-lines.js";

/** The `--json` answer of crimg restore. */
export function restoreJson(prepared: PreparedRestore, restart?: Restart): object {
  const { backend, because, probe, plan, verdict, options, refusals, losses, convert, command } = prepared;
  return {
    backend: { name: backend.name, because, ...probe },
    convert,
    criu: command,
    commandLine: restoreCommandLine(prepared),
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
    losses: convert === undefined ? undefined : losses,
    refusals,
    restart,
  };
}
