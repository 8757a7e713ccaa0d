import os from "node:os";
import { IMAGES } from "../../formats/criu/images.js";
import type { CriuDocument } from "../../model/document.js";
import type { Unsupported } from "../backend.js";

/** The kernel's names of Node's architectures, for those that criu supports. */
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

/** Image version with compressed pages, which only the development branch of criu can read. */
const COMPRESSED_VERSION = 3;

/** What criu, or this version of it, cannot restore; validation checks the set and the host. */
export function unsupported(document: CriuDocument): Unsupported[] {
  const { architecture } = document.checkpoint;
  const here = KERNEL_NAMES[process.arch] ?? process.arch;
  const found: Unsupported[] = [];
  if (os.platform() !== "linux")
    found.push({ pid: undefined, reason: `criu runs only on Linux (this is ${os.platform()})` });
  if (architecture !== "unknown" && architecture !== here)
    found.push({
      pid: document.checkpoint.tasks[0]?.pid,
      reason: `architecture of the tasks is ${architecture} (expected ${here}, that of this host)`,
    });
  const version = document.set.first(IMAGES.INVENTORY)?.img_version ?? 1;
  if (version >= COMPRESSED_VERSION)
    found.push({
      pid: undefined,
      reason: `image version ${version} (compressed pages) is not supported by any released criu`,
    });
  return found;
}
