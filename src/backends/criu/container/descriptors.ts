import fs from "node:fs";
import path from "node:path";
import { BackendError, ioError } from "../../../io/errors.js";
import type { RestoreOption } from "../../../ops/restore-options/option.js";
import { run } from "./mount.js";

/** The first descriptor of criu behind its standard streams. */
const FIRST = 3;

/** Descriptors that criu gets in place of what was outside of the container: `--inherit-fd`. */
export class InheritedDescriptors {
  readonly fds: number[] = [];
  readonly options: RestoreOption[] = [];

  /**
   * Pipes that the engine had the other ends of: the standard streams of criu take their place or, for tasks that must not
   * keep a terminal or pipe of the caller open, /dev/null. `targets`: of the descriptors 0 to 2 of the container, as runc
   * and crun store them.
   */
  addPipes(targets: readonly string[], detach: boolean): void {
    const seen = new Set<string>();
    for (const [fd, pipe] of targets.entries()) {
      if (!/^pipe:\[\d+\]$/.test(pipe) || seen.has(pipe)) continue;
      seen.add(pipe);
      const given = detach ? this.#pass("/dev/null", "r+") : fd;
      const reason = `standard stream ${fd} of the container${detach ? ": /dev/null" : ""}`;
      this.#add(given, pipe, reason, "descriptors.json");
    }
  }

  /** An external network namespace by the path of another. Errors: BACKEND, IO. */
  addNetwork(key: string, namespace: string, from: string): void {
    this.#add(this.#pass(namespace, "r"), key, `network namespace of the container: ${namespace}`, from);
  }

  close(): void {
    for (const fd of this.fds.splice(0)) fs.closeSync(fd);
  }

  /** criu closes each, so that none serves twice. */
  #pass(file: string, flags: string): number {
    try {
      return FIRST - 1 + this.fds.push(fs.openSync(file, flags));
    } catch (error) {
      throw ioError("open", file, error);
    }
  }

  #add(fd: number, key: string, reason: string, from: string): void {
    this.options.push({ option: "--inherit-fd", value: `fd[${fd}]:${key}`, reason, objects: [key], from });
  }
}

/** Makes a network namespace with a loopback interface alone, which stays as long as `directory`. Errors: BACKEND. */
export function newNetwork(directory: string): string {
  const file = path.join(directory, "net");
  fs.writeFileSync(file, "", { flag: "wx" });
  run("unshare", [`--net=${file}`, "true"]);
  try {
    run("nsenter", [`--net=${file}`, "ip", "link", "set", "lo", "up"]);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error; // without ip(8) the interface stays down
  }
  return file;
}
