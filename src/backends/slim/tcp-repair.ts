/** Options of TCP that restore a connection: linux/tcp.h. */
export const TCP = {
  maxSegment: 2,
  info: 11,
  repair: 19,
  repairQueue: 20,
  queueSequence: 21,
  repairOptions: 22,
  timestamp: 24,
  repairWindow: 29,
} as const;

/** Values of TCP_REPAIR and TCP_REPAIR_QUEUE. `offQuietly` sends no window probe. */
export const REPAIR = { on: 1, offQuietly: -1, off: 0, noQueue: 0, receiveQueue: 1, sendQueue: 2 } as const;

/** Kinds of TCP options for TCP_REPAIR_OPTIONS, net/tcp.h, by the bit of TCP_EXTRA.opt_mask. */
export const TCP_OPTION = { maxSegment: 2, windowScale: 3, selective: 4, timestamps: 8 } as const;
export const AGREED = { timestamps: 1, selective: 2, windowScale: 4 } as const;
