import { bytes, struct, word, words } from "../../../schema/struct.js";

export const PPC_HEADER_ARCH = struct("HEADER_ARCH", 16, "A marker", {
  what: word("u32", 8, { doc: "0xdeadbeef", show: { as: "hex" } }),
});

export const PPC32_CPU = struct("CPU", 1168, "Registers of a 32-bit kernel", {
  features_used: word("u32", 8, {
    doc: "bits: floating point, debug, AltiVec, SPE, VSX",
    show: { as: "hex" },
  }),
  pt_regs_size: word("u32", 12),
  fpr_size: word("u32", 16),
  orig_gpr3: word("u64", 24),
  pt_regs: words("u32", 32, 44, { doc: "registers as in ptrace(2)" }),
  fpr: bytes(208, 256),
  fpscr: word("u32", 464),
  fpexc_mode: word("s32", 468),
  dabr: word("u64", 472),
  vr: bytes(480, 512),
  vscr: bytes(992, 16),
  vrsave: word("u64", 1008),
  evr: words("u32", 1016, 32),
  acc: word("u64", 1144),
  spefscr: word("u32", 1152),
});

export const PPC32_VSX_CPU = struct("CPU", 1424, "Registers of a 32-bit kernel with VSX", {
  features_used: word("u32", 8, { show: { as: "hex" } }),
  pt_regs_size: word("u32", 12),
  fpr_size: word("u32", 16),
  orig_gpr3: word("u64", 24),
  pt_regs: words("u32", 32, 44),
  fpr: bytes(208, 512),
  fpscr: word("u32", 720),
  fpexc_mode: word("s32", 724),
  dabr: word("u64", 728),
  vr: bytes(736, 512),
  vscr: bytes(1248, 16),
  vrsave: word("u64", 1264),
  evr: words("u32", 1272, 32),
  acc: word("u64", 1400),
  spefscr: word("u32", 1408),
});

export const PPC64_CPU = struct("CPU", 1344, "Registers of a 64-bit kernel", {
  features_used: word("u32", 8, { show: { as: "hex" } }),
  pt_regs_size: word("u32", 12),
  fpr_size: word("u32", 16),
  orig_gpr3: word("u64", 24),
  pt_regs: words("u64", 32, 44),
  fpr: bytes(384, 256),
  fpscr: word("u32", 640),
  fpexc_mode: word("s32", 644),
  dabr: word("u64", 648),
  vr: bytes(656, 512),
  vscr: bytes(1168, 16),
  vrsave: word("u64", 1184),
  evr: words("u32", 1192, 32),
  acc: word("u64", 1320),
  spefscr: word("u32", 1328),
});

export const PPC64_VSX_CPU = struct("CPU", 1600, "Registers of a 64-bit kernel with VSX", {
  features_used: word("u32", 8, { show: { as: "hex" } }),
  pt_regs_size: word("u32", 12),
  fpr_size: word("u32", 16),
  orig_gpr3: word("u64", 24),
  pt_regs: words("u64", 32, 44),
  fpr: bytes(384, 512),
  fpscr: word("u32", 896),
  fpexc_mode: word("s32", 900),
  dabr: word("u64", 904),
  vr: bytes(912, 512),
  vscr: bytes(1424, 16),
  vrsave: word("u64", 1440),
  evr: words("u32", 1448, 32),
  acc: word("u64", 1576),
  spefscr: word("u32", 1584),
});
