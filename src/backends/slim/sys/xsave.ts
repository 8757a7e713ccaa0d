import { BackendError } from "../../../io/errors.js";
import { FXSAVE_BYTES } from "./abi-x64.js";
import { cpuid } from "./cpuid.js";

/** Leaf of CPUID that tells where the components of an XSAVE area stand. */
const XSAVE_LEAF = 0xd;
const XSTATE_BV = 512;
const HEADER_END = 576;
/** x87 and SSE are in the FXSAVE part. */
const FIRST_EXTENDED = 2;
const MAX_COMPONENT = 62;

/** One component of extended state, from 2 (upper halves of YMM) on. */
export interface XstateComponent {
  readonly component: number;
  readonly bytes: Buffer;
}

/** An XSAVE area taken apart: Intel SDM vol. 1, 13.4. */
export interface Xsave {
  readonly fxsave: Buffer;
  /** Bit n: component n is not in its initial state. */
  readonly xstateBv: bigint;
  readonly components: readonly XstateComponent[];
}

/** Takes an area in the standard format of this processor apart; components in their initial state are left out. */
export function splitXsave(vma: Buffer): Xsave {
  const xstateBv = vma.length < HEADER_END ? 3n : vma.readBigUInt64LE(XSTATE_BV);
  const components: XstateComponent[] = [];
  for (let component = FIRST_EXTENDED; component <= MAX_COMPONENT; component++) {
    if ((xstateBv & (1n << BigInt(component))) === 0n) continue;
    const { offset, size } = placeOf(component);
    if (offset + size <= vma.length)
      components.push({ component, bytes: Buffer.from(vma.subarray(offset, offset + size)) });
  }
  return { fxsave: Buffer.from(vma.subarray(0, FXSAVE_BYTES)), xstateBv, components };
}

/** The part of an area up to its last component that is not in its initial state. */
export function usedXsave(vma: Buffer): Buffer {
  if (vma.length < HEADER_END) return vma;
  const xstateBv = vma.readBigUInt64LE(XSTATE_BV);
  let end = HEADER_END;
  for (let component = FIRST_EXTENDED; component <= MAX_COMPONENT; component++) {
    if ((xstateBv & (1n << BigInt(component))) === 0n) continue;
    const { offset, size } = placeOf(component);
    end = Math.max(end, offset + size);
  }
  return vma.subarray(0, end);
}

/** Puts an area for this processor together. Errors: BackendError when it lacks a component that is in use. */
export function joinXsave({ fxsave, xstateBv, components }: Xsave): Buffer {
  const size = cpuid(XSAVE_LEAF, 0).ebx;
  const vma = Buffer.alloc(size);
  fxsave.copy(vma);
  vma.writeBigUInt64LE(xstateBv, XSTATE_BV);
  for (const { component, bytes } of components) {
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
