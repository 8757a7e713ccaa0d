import type { EditKind } from "../kind.js";
import { acceptFile, noFileCheck } from "./accept-file.js";
import { cgroup } from "./cgroup.js";
import { comm } from "./comm.js";
import { containerId } from "./container-id.js";
import { containerName } from "./container-name.js";
import { deleted } from "./deleted.js";
import { dropFd } from "./drop-fd.js";
import { env } from "./env.js";
import { expiry } from "./expiry.js";
import { fd } from "./fd.js";
import { hostname } from "./hostname.js";
import { lease } from "./lease.js";
import { leaseExpiry } from "./lease-expiry.js";
import { lock } from "./lock.js";
import { redact, redactHex, redactRegex } from "./redact.js";
import { remapAddress } from "./remap-address.js";
import { remapPath } from "./remap-path.js";
import { rootfsAdd } from "./rootfs-add.js";
import { rootfsDrop } from "./rootfs-drop.js";
import { set } from "./set.js";
import { tcpListenRemap } from "./tcp-listen-remap.js";

/**
 * All kinds of edits, in the order in which flags are carried out: what moves comes first, so that patterns and
 * selectors of the others see the new names.
 */
export const EDIT_KINDS: readonly EditKind[] = [
  remapPath,
  deleted,
  cgroup,
  hostname,
  containerName,
  containerId,
  comm,
  remapAddress,
  tcpListenRemap,
  fd,
  dropFd,
  lease,
  lock,
  leaseExpiry,
  expiry,
  env,
  redact,
  redactHex,
  redactRegex,
  acceptFile,
  noFileCheck,
  rootfsDrop,
  rootfsAdd,
  set,
] as readonly EditKind[];
