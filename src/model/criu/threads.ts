import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry } from "../../formats/criu/tables/core.js";
import { UNKNOWN } from "../../schema/message.js";
import type { ThreadAddresses, ThreadAttributes } from "../attributes.js";
import type { Thread } from "../checkpoint.js";
import type { Credentials } from "../credentials.js";
import type { PendingSignal } from "../signals.js";
import { decodeThreadAttributes } from "./attributes.js";
import { controlGroupsOf, decodeControlGroupSet } from "./control-groups.js";
import { decodeCredentials } from "./credentials.js";
import { decodeThreadQueue } from "./signals.js";
import { criuX86Registers } from "./x86-registers.js";

/** A thread whose core image is read at the first look at it. A class: a damaged tree names 100,000 of them. */
export class CriuThread implements Thread {
  readonly #set: CriuImageSet;
  readonly #pid: number;
  #core: { readonly is: CoreEntry | undefined } | undefined;
  #registers: ReadonlyMap<string, bigint> | undefined;

  constructor(
    set: CriuImageSet,
    pid: number,
    readonly tid: number,
  ) {
    this.#set = set;
    this.#pid = pid;
  }

  get comm(): string {
    return this.#read()?.thread_core?.comm ?? this.#read()?.tc?.comm ?? "";
  }

  get credentials(): Credentials | undefined {
    const own = this.#read()?.thread_core?.creds;
    if (own !== undefined) return decodeCredentials(own, { ...this.origin, field: "thread_core.creds" });
    const old = this.#set.first(IMAGES.CREDS, this.#pid);
    return old && decodeCredentials(old, { image: fileNameOf(IMAGES.CREDS, this.#pid), record: 0 });
  }

  get registers(): ReadonlyMap<string, bigint> {
    this.#registers ??= registersOf(this.#read());
    return this.#registers;
  }

  get blocked(): bigint {
    return this.#read()?.thread_core?.blk_sigset ?? this.#read()?.tc?.blk_sigset ?? 0n;
  }

  get pending(): readonly PendingSignal[] {
    return decodeThreadQueue(this.#set, this.tid, this.#read());
  }

  get seccomp(): string | undefined {
    return this.#attributes.seccomp;
  }

  get seccompFilter(): number | undefined {
    return this.#attributes.seccompFilter;
  }

  get schedule(): Thread["schedule"] {
    return this.#attributes.schedule;
  }

  get rseq(): Thread["rseq"] {
    return this.#attributes.rseq;
  }

  get addresses(): ThreadAddresses {
    return this.#attributes.addresses;
  }

  get deathSignal(): number {
    return this.#attributes.deathSignal;
  }

  get controlGroupSet(): number | undefined {
    return decodeControlGroupSet(this.#set, this.#read());
  }

  get controlGroups(): readonly string[] | undefined {
    const id = this.controlGroupSet;
    return id === undefined ? undefined : controlGroupsOf(this.#set).get(id);
  }

  get origin(): Thread["origin"] {
    return { image: `core-${this.tid}.img`, record: 0 };
  }

  get #attributes(): ThreadAttributes {
    return decodeThreadAttributes(this.#read(), this.origin.image);
  }

  #read(): CoreEntry | undefined {
    this.#core ??= { is: this.#set.first(IMAGES.CORE, this.tid) };
    return this.#core.is;
  }
}

/** What stands among the general registers and is none: of x86 the mode, of all the fields that no table knows. */
const NO_REGISTERS: ReadonlySet<string> = new Set(["mode", UNKNOWN]);

/** General registers of whichever architecture the core image carries. */
function registersOf(core: CoreEntry | undefined): ReadonlyMap<string, bigint> {
  const info =
    core?.thread_info ??
    core?.ti_aarch64 ??
    core?.ti_arm ??
    core?.ti_ppc64 ??
    core?.ti_s390 ??
    core?.ti_mips ??
    core?.ti_loongarch64 ??
    core?.ti_riscv64;
  const registers = new Map<string, bigint>();
  const general = (info as { gpregs?: Record<string, unknown> } | undefined)?.gpregs ?? {};
  for (const [name, value] of Object.entries(general)) {
    if (NO_REGISTERS.has(name)) continue;
    if (typeof value === "bigint" || typeof value === "number") registers.set(name, BigInt(value));
    else if (Array.isArray(value))
      for (const [i, item] of value.entries()) registers.set(`${name}${i}`, BigInt(item as number | bigint));
  }
  const fpregs = core?.thread_info?.fpregs;
  if (fpregs !== undefined)
    for (const [name, value] of criuX86Registers(fpregs).entries()) registers.set(name, value);
  return registers;
}
