/** Bytes at an address, or at an offset of a file. */
export interface Stretch {
  readonly address: bigint;
  readonly bytes: Buffer;
}

/** Neighbouring bytes that are searched at once: for what begins in [from, to), the rest is what stands around it. */
export interface Window extends Stretch {
  readonly from: number;
  readonly to: number;
}

/** How many bytes before and after what is searched a window has too. */
export interface Margins {
  readonly behind: number;
  readonly ahead: number;
}

const GROUP_BYTES = 4 * 1024 * 1024;
/** A string of less than 128 KiB is made and forgotten quickly; V8 keeps longer ones in a space of their own. */
const WINDOW_BYTES = 88 * 1024;

/** Contiguous bytes in the buffer from `at` on; what begins before `from` was searched. */
interface Region {
  readonly at: number;
  readonly address: bigint;
  readonly from: number;
}

/**
 * Stretches (of at most 256 KiB, in the order of their addresses) as windows, in groups of about 4 MiB, so that what a
 * group costs is paid seldom however small the stretches are. What is contiguous is joined: nothing is cut by the borders of
 * pages, runs or files. What is not is apart: nothing is found across a gap. A group is valid until the next one.
 */
export function* windowGroups(
  stretches: Iterable<Stretch>,
  { behind, ahead }: Margins,
): Generator<readonly Window[]> {
  const buffer = Buffer.allocUnsafeSlow(GROUP_BYTES + behind + ahead);
  let windows: Window[] = [];
  let region: Region = { at: 0, address: 0n, from: 0 };
  let end = 0;
  const cut = (to: number): void => {
    for (let from = region.from; from < to; from += WINDOW_BYTES) {
      const first = Math.max(region.at, from - behind);
      const until = Math.min(to, from + WINDOW_BYTES);
      windows.push({
        address: region.address + BigInt(first - region.at),
        bytes: buffer.subarray(first, Math.min(end, until + ahead)),
        from: from - first,
        to: until - first,
      });
    }
  };
  for (const { address, bytes } of stretches) {
    const follows = address === region.address + BigInt(end - region.at);
    if (!follows) {
      cut(end);
      region = { at: end, address, from: end };
    }
    if (end + bytes.length > buffer.length) {
      const to = Math.max(region.from, end - ahead);
      cut(to);
      yield windows;
      windows = [];
      const kept = Math.max(region.at, to - behind);
      buffer.copyWithin(0, kept, end);
      region = { at: 0, address: region.address + BigInt(kept - region.at), from: to - kept };
      end -= kept;
    }
    bytes.copy(buffer, end);
    end += bytes.length;
  }
  cut(end);
  if (windows.length > 0) yield windows;
}
