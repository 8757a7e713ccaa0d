/** A device number of stat(2), new_encode_dev of include/linux/kdev_t.h, in the kernel's own form: MKDEV of the same. */
export function kernelDevice(dev: bigint): number {
  const major = (dev >> 8n) & 0xfffn;
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  return Number((major << 20n) | minor);
}

/** The inverse: a device number of the kernel as stat(2) gives it. */
export function statDevice(dev: number): bigint {
  const [major, minor] = [BigInt(dev >>> 20), BigInt(dev & 0xf_ffff)];
  return (minor & 0xffn) | (major << 8n) | ((minor & ~0xffn) << 12n);
}
