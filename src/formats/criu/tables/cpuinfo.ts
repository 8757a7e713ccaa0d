import { enumTable } from "../../../io/enums.js";
import { message, optional, repeated, required, type Value } from "../../../schema/message.js";

export const CPUINFO_PPC64_ENTRY_ENDIANNESS = enumTable("cpuinfo_ppc64_entry.endianness", {
  BIGENDIAN: 0,
  LITTLEENDIAN: 1,
});

export const CPUINFO_X86_ENTRY_VENDOR = enumTable("cpuinfo_x86_entry.vendor", {
  UNKNOWN: 0,
  INTEL: 1,
  AMD: 2,
});

export const CPUINFO_X86_ENTRY = message(
  "cpuinfo_x86_entry",
  "Features of an x86 processor of the dumped machine.",
  {
    vendor_id: required(1, CPUINFO_X86_ENTRY_VENDOR),
    cpu_family: required(2, "uint32"),
    model: required(3, "uint32"),
    stepping: required(4, "uint32"),
    capability_ver: required(5, "uint32", {
      doc: "1 or 2; they differ in the number of words in capability",
    }),
    capability: repeated(6, "uint32", { doc: "words of feature bits in the kernel's order" }),
    model_id: optional(7, "string"),
    xfeatures_mask: optional(8, "uint64", {
      doc: "parts of the XSAVE area that the kernel used",
      since: "3.11",
    }),
    xsave_size: optional(9, "uint32", { doc: "bytes of the area for these parts", since: "3.11" }),
    xsave_size_max: optional(10, "uint32", { doc: "bytes of the area for all parts", since: "3.11" }),
  },
);
export type CpuinfoX86Entry = Value<typeof CPUINFO_X86_ENTRY>;

export const CPUINFO_PPC64_ENTRY = message(
  "cpuinfo_ppc64_entry",
  "Features of a 64-bit Power processor of the dumped machine.",
  {
    endian: required(1, CPUINFO_PPC64_ENTRY_ENDIANNESS),
    hwcap: repeated(2, "uint64", { doc: "AT_HWCAP and AT_HWCAP2 of getauxval(3)" }),
  },
);
export type CpuinfoPpc64Entry = Value<typeof CPUINFO_PPC64_ENTRY>;

export const CPUINFO_S390_ENTRY = message(
  "cpuinfo_s390_entry",
  "Features of an IBM Z processor of the dumped machine.",
  {
    hwcap: repeated(2, "uint64", { doc: "AT_HWCAP and AT_HWCAP2 of getauxval(3)" }),
  },
);
export type CpuinfoS390Entry = Value<typeof CPUINFO_S390_ENTRY>;

export const CPUINFO_ENTRY = message(
  "cpuinfo_entry",
  "Features of the processors at the dump, compared by a restore with --cpu-cap.",
  {
    x86_entry: repeated(1, CPUINFO_X86_ENTRY),
    ppc64_entry: repeated(2, CPUINFO_PPC64_ENTRY, { since: "2.0" }),
    s390_entry: repeated(3, CPUINFO_S390_ENTRY, { since: "3.4" }),
  },
);
export type CpuinfoEntry = Value<typeof CPUINFO_ENTRY>;
