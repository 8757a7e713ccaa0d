import type { SourceRange } from "../io/concat.js";
import type { Origin } from "./origin.js";

/** SysV shared memory, message queues and semaphores of one IPC namespace, sysvipc(7). */
export interface IpcNamespace {
  readonly id: number;
  /** Undefined when the image does not have them. */
  readonly limits: IpcLimits | undefined;
  /** The limits as the format names them. */
  readonly record: Readonly<Record<string, number | bigint | readonly number[]>>;
  readonly segments: readonly IpcSegment[];
  readonly queues: readonly IpcQueue[];
  readonly semaphores: readonly IpcSemaphores[];
}

/** By the names of the kernel's struct ipc_namespace, which both formats took over; undefined where not stored. */
export interface IpcLimits {
  readonly shm_ctlmax: bigint;
  readonly shm_ctlall: bigint;
  readonly shm_ctlmni: number;
  readonly msg_ctlmax: number;
  readonly msg_ctlmnb: number;
  readonly msg_ctlmni: number;
  /** The four numbers of kernel.sem. */
  readonly sem_ctls: readonly number[];
  readonly auto_msgmni?: number | undefined;
  readonly shm_rmid_forced?: number | undefined;
  readonly mq_queues_max?: number | undefined;
  readonly mq_msg_max?: number | undefined;
  readonly mq_msgsize_max?: number | undefined;
  readonly mq_msg_default?: number | undefined;
  readonly mq_msgsize_default?: number | undefined;
  /** Wanted ids of the next objects; undefined for any. */
  readonly msg_next_id?: number | undefined;
  readonly sem_next_id?: number | undefined;
  readonly shm_next_id?: number | undefined;
}

export interface IpcObject {
  readonly id: number;
  /** 0 for IPC_PRIVATE. */
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  /** Who created it. */
  readonly cuid: number;
  readonly cgid: number;
  readonly mode: number;
  /** Whether the image holds when and by whom it was used, which no restore gives back. */
  readonly hasHistory: boolean;
  readonly origin: Origin;
}

export interface IpcSegment extends IpcObject {
  /** In bytes. */
  readonly size: bigint;
  /** Size of its huge pages as a power of 2, 0 for the usual one; undefined for ordinary pages. */
  readonly hugeShift: number | undefined;
  /** SHM_NORESERVE; undefined when the image does not say it. */
  readonly noReserve: boolean | undefined;
  /** Image, or record of a stream, that holds the contents. */
  readonly contents: string;
  /** Contents that stand behind the record; undefined for contents in pages. */
  readonly inline: SourceRange | undefined;
}

export interface IpcQueue extends IpcObject {
  /** How many messages it has. */
  readonly messages: number;
  /** Bytes in the messages, and how many there may be. */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly stored: () => Iterable<IpcMessage>;
}

export interface IpcMessage {
  readonly type: bigint;
  /** In bytes. */
  readonly size: number;
  /** Where its bytes are, one piece behind the other. */
  readonly pieces: readonly SourceRange[];
}

export interface IpcSemaphores extends IpcObject {
  /** How many the set has; a damaged image may have more or fewer values. */
  readonly count: number;
  readonly values: readonly number[];
}

/** Host and domain name of one UTS namespace. */
export interface UtsNamespace {
  readonly id: number;
  readonly hostName: string;
  readonly domainName: string;
  readonly origin: Origin;
}
