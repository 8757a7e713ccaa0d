import { spawnSync } from "node:child_process";
import { BackendError } from "../../../io/errors.js";

/** Runs mount(8). Errors: BACKEND with what it says. */
export function mount(...args: readonly string[]): void {
  run("mount", args);
}

/** Takes a file system, and all mounted in it, out of this mount namespace; who uses it keeps it. Errors: BACKEND. */
export function unmount(directory: string): void {
  run("umount", ["--lazy", directory]);
}

/** Runs a program of util-linux. Errors: BACKEND with what it says. */
export function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return;
  const said = error?.message ?? stderr.trim().split("\n").at(-1);
  throw new BackendError(`${program} ${args.join(" ")} failed: ${said}`);
}
