import os from "node:os";
import { IMAGES } from "../../formats/criu/images.js";
import type { CriuDocument } from "../../model/document.js";
import type { Unsupported } from "../backend.js";

/** Node's name of this machine's instruction set in the kernel's spelling, as far as criu runs on it. */
const KERNEL_NAMES: Readonly<Record<string, string>> = {
  arm: "arm",
  arm64: "aarch64",
  loong64: "loongarch64",
  mips: "mips",
  ppc64: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
  x64: "x86_64",
};

/** Images of this version have compressed pages, which only criu built from its development branch can read. */
const COMPRESSED_VERSION = 3;

/** What no criu can do, or not this one; what the set and the host lack is for validation to say. */
export function unsupported(document: CriuDocument): Unsupported[] {
  const { architecture } = document.checkpoint;
  const here = KERNEL_NAMES[process.arch] ?? process.arch;
  const found: Unsupported[] = [];
  if (os.platform() !== "linux")
    found.push({ pid: undefined, reason: `criu runs on Linux only, and this is ${os.platform()}` });
  if (architecture !== "unknown" && architecture !== here)
    found.push({
      pid: document.checkpoint.tasks[0]?.pid,
      reason: `the tasks are of ${architecture} and this host is ${here}: machine code cannot be moved between them`,
    });
  const version = document.set.first(IMAGES.INVENTORY)?.img_version ?? 1;
  if (version >= COMPRESSED_VERSION)
    found.push({
      pid: undefined,
      reason: `the set has image version ${version} (compressed pages), which no released criu reads`,
    });
  return found;
}
