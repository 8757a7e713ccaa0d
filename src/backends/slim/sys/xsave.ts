import fs from "node:fs";
import koffi from "koffi";
import { BackendError } from "../../../io/errors.js";
import { MAP_PRIVATE_ANONYMOUS, PROT_EXEC, PROT_READ, PROT_WRITE } from "../../../linux/mman.js";
import { LEGACY_COMPONENTS, XSAVE_HEADER_END, XSTATE_BV_AT } from "../../../linux/xsave.js";
import { type ExtendedState, FXSAVE_BYTES, usedComponents } from "../../../model/x86-registers.js";
import { SYS } from "./abi-x64.js";
import { addressOf, call } from "./syscall.js";

/** Leaf of CPUID that tells where the components of an XSAVE area stand. */
const XSAVE_LEAF = 0xd;
/** x87 and SSE are in the FXSAVE part. */
const FIRST_EXTENDED = 2;
const MAX_COMPONENT = 62;

/** Takes an area in the standard format of this processor apart; components in their initial state are left out. */
export function splitXsave(vma: Buffer): ExtendedState {
  const inUse = vma.length < XSAVE_HEADER_END ? LEGACY_COMPONENTS : vma.readBigUInt64LE(XSTATE_BV_AT);
  const components = new Map<number, Buffer>();
  for (let component = FIRST_EXTENDED; component <= MAX_COMPONENT; component++) {
    if ((inUse & (1n << BigInt(component))) === 0n) continue;
    const { offset, size } = placeOf(component);
    if (offset + size <= vma.length)
      components.set(component, Buffer.from(vma.subarray(offset, offset + size)));
  }
  return { fxsave: Buffer.from(vma.subarray(0, FXSAVE_BYTES)), inUse, components };
}

/** The part of an area up to its last component that is not in its initial state. */
export function usedXsave(vma: Buffer): Buffer {
  if (vma.length < XSAVE_HEADER_END) return vma;
  const xstateBv = vma.readBigUInt64LE(XSTATE_BV_AT);
  let end = XSAVE_HEADER_END;
  for (let component = FIRST_EXTENDED; component <= MAX_COMPONENT; component++) {
    if ((xstateBv & (1n << BigInt(component))) === 0n) continue;
    const { offset, size } = placeOf(component);
    end = Math.max(end, offset + size);
  }
  return vma.subarray(0, end);
}

/** Puts an area for this processor together. Errors: BackendError when it lacks a component that is in use. */
export function joinXsave(state: ExtendedState): Buffer {
  const { fxsave, inUse = LEGACY_COMPONENTS } = state;
  const size = cpuid(XSAVE_LEAF, 0).ebx;
  const vma = Buffer.alloc(size);
  fxsave.copy(vma);
  vma.writeBigUInt64LE(inUse, XSTATE_BV_AT);
  // criu stores components that are not in use as well.
  for (const [component, bytes] of usedComponents(state)) {
    const place = placeOf(component);
    if (place.size !== bytes.length || place.offset + place.size > size)
      throw new BackendError(
        `the checkpoint holds ${bytes.length} bytes of processor state ${component}; this processor has ${place.size} for it`,
      );
    bytes.copy(vma, place.offset);
  }
  return vma;
}

function placeOf(component: number): { readonly offset: number; readonly size: number } {
  const { eax, ebx } = cpuid(XSAVE_LEAF, component);
  return { offset: ebx, size: eax };
}

/** void f(u32 leaf, u32 subleaf, u32 out[4]): runs `cpuid` and stores eax, ebx, ecx, edx. */
const CODE = Buffer.from(
  ["53", "89f8", "89f1", "4989d0", "0fa2", "418900", "41895804", "41894808", "4189500c", "5b", "c3"].join(""),
  "hex",
);
const PROT_RWX = PROT_READ | PROT_WRITE | PROT_EXEC;

let run: ((leaf: number, subleaf: number, out: bigint) => void) | undefined;

/** What the processor says of itself under a leaf of CPUID, Intel SDM vol. 2A. */
function cpuid(
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
