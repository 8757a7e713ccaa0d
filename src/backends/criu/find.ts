import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { MemorySource } from "../../io/source.js";
import { explainLog, type Failure } from "../../ops/explain/explain.js";
import type { Probe } from "../backend.js";

/** criu on this host. */
export type CriuProbe =
  | (Extract<Probe, { able: true }> & { readonly path: string; readonly version: string })
  | Extract<Probe, { able: false }>;

const TRIAL_MS = 20_000;

/**
 * Finds criu and checks that it works on this kernel: `named` (--criu), else CRIMG_CRIU, else PATH. A named one is the
 * only candidate.
 */
export function findCriu(named: string | undefined): CriuProbe {
  const chosen = named ?? (process.env.CRIMG_CRIU || undefined);
  const candidates = chosen === undefined ? onPath("criu") : [resolve(chosen)];
  const path = candidates.find(isExecutable);
  if (path === undefined)
    return {
      able: false,
      path: chosen,
      reason:
        chosen === undefined
          ? "criu not found on PATH; install it, or name it with --criu PATH or CRIMG_CRIU"
          : `${chosen} is not an executable program`,
    };
  const version = versionOf(path);
  if (version === undefined) return { able: false, path, reason: `${path} does not run, or is not criu` };
  return tried(path, version);
}

/** `criu check` initialises the same features as a restore, which may not need all of them. */
function tried(path: string, version: string): CriuProbe {
  const { status, stdout, stderr } = run(path, ["check"]);
  if (status === 0) return { able: true, path, version };
  const said = `${stdout}\n${stderr}`.trim();
  const failure = failureIn(said);
  if (failure !== undefined)
    return {
      able: false,
      path,
      version,
      reason: `criu ${version} (${path}): ${failure.what}: ${failure.why}`,
    };
  const line = said.split("\n").find((text) => text.includes("Error")) ?? said.split("\n", 1)[0];
  return { able: true, path, version, remark: `criu check failed: ${line}` };
}

function failureIn(said: string): Failure | undefined {
  try {
    return explainLog(new MemorySource(Buffer.from(said), "criu check")).failure;
  } catch {
    return undefined; // not an output of criu
  }
}

function versionOf(path: string): string | undefined {
  const { status, stdout } = run(path, ["--version"]);
  return status === 0 ? /^Version: (\S+)/m.exec(stdout)?.[1] : undefined;
}

function run(path: string, args: readonly string[]) {
  return spawnSync(path, args, { encoding: "utf8", timeout: TRIAL_MS, killSignal: "SIGKILL" });
}

function onPath(name: string): string[] {
  return (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory || ".", name));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
