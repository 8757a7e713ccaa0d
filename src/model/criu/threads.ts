import { fileNameOf } from "../../formats/criu/detect.js";
import type { CriuImageSet } from "../../formats/criu/image-set.js";
import { IMAGES } from "../../formats/criu/images.js";
import type { CoreEntry } from "../../formats/criu/tables/core.js";
import type { ThreadAddresses, ThreadAttributes } from "../attributes.js";
import type { Thread } from "../checkpoint.js";
import type { Credentials } from "../credentials.js";
import type { PendingSignal } from "../signals.js";
import type { X86State } from "../x86-registers.js";
import { decodeThreadAttributes } from "./attributes.js";
import { type Box, boxed } from "./box.js";
import { controlGroupsOf, decodeControlGroupSet } from "./control-groups.js";
import { decodeCredentials } from "./credentials.js";
import { decodeRegisters, otherRegistersOf, registersOf } from "./registers.js";
import { decodeThreadQueue } from "./signals.js";

/** A thread whose core image is read at the first look at it. A class: a damaged tree names 100,000 of them. */
export class CriuThread implements Thread {
  readonly #set: CriuImageSet;
  readonly #pid: number;
  #core: Box<CoreEntry | undefined>;

  constructor(
    set: CriuImageSet,
    pid: number,
    readonly tid: number,
    /** Of the leader: the image that its task holds. */
    private readonly ofTask?: () => CoreEntry | undefined,
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
    return registersOf(this.#read());
  }

  get x86(): X86State | undefined {
    const info = this.#read()?.thread_info;
    return info && decodeRegisters(info);
  }

  get otherRegisters(): ReadonlyMap<string, bigint> {
    return otherRegistersOf(this.#read());
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
    if (this.ofTask !== undefined) return this.ofTask();
    this.#core ??= boxed(this.#set.first(IMAGES.CORE, this.tid));
    return this.#core.is;
  }
}
