/** How a stream is restored; what is not given has a default. */
export interface RestoreOptions {
  /** `same` (default): the ids of the image; `new`: ids that the kernel chooses. */
  readonly pids?: "same" | "new" | undefined;
  /** Restore into a pid namespace made for it, where every id is free. */
  readonly pidns?: boolean | undefined;
  /** Where the times of leases and timers count from: the end of the restart (default), or its start. */
  readonly expiryFrom?: "start" | "end" | undefined;
  /** Gets a line for every step, without time and line end. */
  readonly log?: ((line: string) => void) | undefined;
  /** Told how many bytes of memory are in place, and how many there will be. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
