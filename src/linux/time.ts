export const NSEC_PER_SEC = 1_000_000_000n;
