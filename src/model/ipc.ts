/** SysV shared memory, message queues and semaphores of one IPC namespace, sysvipc(7). */
export interface IpcNamespace {
  readonly id: number;
  /** Limits by the names of the stored record, sysctl kernel.* and fs.mqueue.*. */
  readonly limits: Readonly<Record<string, number | bigint | readonly number[]>>;
  readonly segments: readonly IpcSegment[];
  readonly queues: readonly IpcQueue[];
  readonly semaphores: readonly IpcSemaphores[];
}

export interface IpcObject {
  readonly id: number;
  readonly key: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface IpcSegment extends IpcObject {
  /** In bytes. */
  readonly size: bigint;
  /** Image, or record of a stream, that holds the contents. */
  readonly contents: string;
}

export interface IpcQueue extends IpcObject {
  readonly messages: number;
  /** Bytes in the messages, and how many there may be. */
  readonly bytes: number;
  readonly maxBytes: number;
}

export interface IpcSemaphores extends IpcObject {
  readonly values: readonly number[];
}

/** Host and domain name of one UTS namespace. */
export interface UtsNamespace {
  readonly id: number;
  readonly hostName: string;
  readonly domainName: string;
}
