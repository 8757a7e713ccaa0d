import type { MemberType } from "./header.js";

/** Bytes of a member's data, at an offset of the file: sparse members have several parts. */
export interface DataPart {
  /** Offset in the file that the member is. */
  readonly at: number;
  readonly size: number;
}

/** A member of a tar archive, as its headers tell; its data stays where it is. */
export interface TarMember {
  /** As stored, without a leading `./` and without slashes at the end. */
  readonly path: string;
  readonly type: MemberType;
  /** Bytes of the file. */
  readonly size: number;
  /** Offset of its first header, with all that extend it. */
  readonly start: number;
  /** Offset of its data, and the bytes of it in the archive, without padding. */
  readonly data: number;
  readonly stored: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Target of a link, as stored. */
  readonly target: string | undefined;
  /** Parts with data of a sparse member, which follow one another in the archive; undefined for any other. */
  readonly parts: readonly DataPart[] | undefined;
}
