/** Where in the image a value came from: image file, record index and (when it is one field) the field's path. */
export interface Origin {
  readonly image: string;
  readonly record: number;
  readonly field?: string;
}

/** Addresses [start, end). */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
}
