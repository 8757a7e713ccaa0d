import { enumTable, flagTable } from "../io/enums.js";
import { numbered, numberOf } from "./tables.js";

/** Capabilities by number, include/uapi/linux/capability.h, capabilities(7). */
export const CAPABILITIES = enumTable(
  "capability",
  numbered("CAP_", 0, [
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE",
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT",
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP",
    "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE",
  ]),
);

/** Capabilities as bits of a set. */
export const CAP_SETGID = bitOf("CAP_SETGID");
export const CAP_SETUID = bitOf("CAP_SETUID");
export const CAP_SETPCAP = bitOf("CAP_SETPCAP");
export const CAP_NET_ADMIN = bitOf("CAP_NET_ADMIN");
export const CAP_SYS_CHROOT = bitOf("CAP_SYS_CHROOT");
export const CAP_SYS_PTRACE = bitOf("CAP_SYS_PTRACE");
export const CAP_SYS_ADMIN = bitOf("CAP_SYS_ADMIN");
export const CAP_SYS_RESOURCE = bitOf("CAP_SYS_RESOURCE");
export const CAP_SYS_TIME = bitOf("CAP_SYS_TIME");
export const CAP_CHECKPOINT_RESTORE = bitOf("CAP_CHECKPOINT_RESTORE");

function bitOf(name: string): bigint {
  return 1n << BigInt(numberOf(CAPABILITIES, name));
}

/** Names of the capabilities in a mask; bit n is capability n, an unknown one its number. */
export function capabilitiesIn(mask: bigint): string[] {
  const names: string[] = [];
  for (let bit = 0; mask >> BigInt(bit) !== 0n; bit++)
    if ((mask >> BigInt(bit)) & 1n) names.push(CAPABILITIES.names.get(bit) ?? String(bit));
  return names;
}

/** Version of the sets of two words, capset(2). */
export const LINUX_CAPABILITY_VERSION_3 = 0x20080522;

export const SECBIT_NO_SETUID_FIXUP = 4;

/** Flags of prctl(PR_SET_SECUREBITS), include/uapi/linux/securebits.h, capabilities(7). */
export const SECUREBITS = flagTable("securebits", {
  SECBIT_NOROOT: 1,
  SECBIT_NOROOT_LOCKED: 2,
  SECBIT_NO_SETUID_FIXUP,
  SECBIT_NO_SETUID_FIXUP_LOCKED: 8,
  SECBIT_KEEP_CAPS: 0x10,
  SECBIT_KEEP_CAPS_LOCKED: 0x20,
  SECBIT_NO_CAP_AMBIENT_RAISE: 0x40,
  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED: 0x80,
  SECBIT_EXEC_RESTRICT_FILE: 0x100,
  SECBIT_EXEC_RESTRICT_FILE_LOCKED: 0x200,
  SECBIT_EXEC_DENY_INTERACTIVE: 0x400,
  SECBIT_EXEC_DENY_INTERACTIVE_LOCKED: 0x800,
});
