import fs from "node:fs";
import koffi from "koffi";
import { MAP_PRIVATE_ANONYMOUS, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../../linux/mman.js";
import { SYS } from "./abi-x64.js";
import { addressOf, call } from "./syscall.js";

/** void f(u32 leaf, u32 subleaf, u32 out[4]): runs `cpuid` and stores eax, ebx, ecx, edx. */
const CODE = Buffer.from(
  ["53", "89f8", "89f1", "4989d0", "0fa2", "418900", "41895804", "41894808", "4189500c", "5b", "c3"].join(""),
  "hex",
);
const PROT_RWX = PROT_READ | PROT_WRITE | PROT_EXEC;

let run: ((leaf: number, subleaf: number, out: bigint) => void) | undefined;

/** What the processor says of itself under a leaf of CPUID, Intel SDM vol. 2A. */
export function cpuid(
  leaf: number,
  subleaf: number,
): { readonly eax: number; readonly ebx: number; readonly ecx: number; readonly edx: number } {
  run ??= prepare();
  const out = Buffer.alloc(16);
  run(leaf, subleaf, addressOf(out));
  return {
    eax: out.readUInt32LE(0),
    ebx: out.readUInt32LE(4),
    ecx: out.readUInt32LE(8),
    edx: out.readUInt32LE(12),
  };
}

function prepare(): (leaf: number, subleaf: number, out: bigint) => void {
  const page = call("map a page of code", SYS.mmap, 0, 4096, PROT_RWX, MAP_PRIVATE_ANONYMOUS, -1, 0);
  const memory = fs.openSync("/proc/self/mem", "r+");
  fs.writeSync(memory, CODE, 0, CODE.length, page);
  fs.closeSync(memory);
  const type = koffi.proto("void crimg_cpuid(uint32_t leaf, uint32_t subleaf, int64_t out)");
  return (leaf, subleaf, out) => koffi.call(BigInt(page), type, leaf, subleaf, out);
}
