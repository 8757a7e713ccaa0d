import type { Dialect, RecordKind } from "../../src/formats/linux-cr/record-kind.js";
import { RECORDS } from "../../src/formats/linux-cr/records.js";
import {
  ARCHITECTURES,
  archNumbering,
  type Commit,
  isSince,
  type ObjectType,
  objectTypes,
  REVISIONS,
} from "../../src/formats/linux-cr/revisions.js";
import { encodeRecord } from "../../src/formats/linux-cr/write.js";
import { textToBytes } from "../../src/io/text.js";

/** Puts linux-cr streams together for tests: records one by one in any header set and architecture. */
export class StreamBuilder {
  readonly parts: Buffer[] = [];
  #nextRef = 1;

  constructor(readonly dialect: Dialect) {}

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  add(
    kind: RecordKind,
    fields: Readonly<Record<string, unknown>> = {},
    payload?: Buffer,
    size?: number,
  ): this {
    this.parts.push(
      encodeRecord(kind, this.dialect, this.dialect.arch.byteOrder, fields, payload ?? Buffer.alloc(0), size),
    );
    return this;
  }

  /** A BUFFER of so many bytes, or of these. */
  buffer(content: Buffer | number): this {
    return this.add(RECORDS.BUFFER, {}, typeof content === "number" ? Buffer.alloc(content) : content);
  }

  text(kind: RecordKind, text: string): this {
    return this.add(kind, {}, Buffer.concat([textToBytes(text), Buffer.alloc(1)]));
  }

  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }

  /** The next number, as the kernel gives it before it writes an object; some objects take one and have no OBJREF. */
  number(): number {
    return this.#nextRef++;
  }

  objref(type: ObjectType, objref = this.number()): number {
    this.add(RECORDS.OBJREF, { objtype: objectTypes(this.dialect.commit).indexOf(type), objref });
    return objref;
  }

  u32s(...numbers: number[]): Buffer {
    const out = Buffer.alloc(numbers.length * 4);
    for (const [i, number] of numbers.entries())
      if (this.dialect.arch.byteOrder === "little-endian") out.writeInt32LE(number | 0, i * 4);
      else out.writeInt32BE(number | 0, i * 4);
    return out;
  }

  since(commit: Commit): boolean {
    return isSince(this.dialect.commit, commit);
  }

  /** HEADER to the TREE array. `tasks` are [pid, ppid, tgid, pgid, sid] as plain numbers. */
  head(tasks: readonly (readonly number[])[], uflags = 1n): this {
    const { commit, arch } = this.dialect;
    const version = REVISIONS.find((revision) => revision.commit === commit)?.version;
    const auxvSize = this.since("67cfee9") ? { at_vector_size: 44 } : { mm_saved_auxv_len: 352 };
    const lengths = ["sysname", "nodename", "release", "version", "machine", "domainname"].map((name) => [
      `uts_${name}_len`,
      65,
    ]);
    this.add(RECORDS.HEADER, {
      magic: 0x00feed0cc0a2d200n,
      arch_id: archNumbering(commit).findIndex((id) => ARCHITECTURES[id] === arch) + 1,
      major: 2,
      minor: 6,
      patch: 33,
      rev: version,
      constants: {
        task_comm_len: 16,
        ...auxvSize,
        signal_nsig: 64,
        ...Object.fromEntries(lengths),
        rlimit_nlimits: 16,
        n_tty_buf_size: 4096,
        ...(this.since("a272e68") ? { tty_termios_nccs: 19 } : { tty_termios_ncc: 8 }),
      },
      time: 1_280_000_000n,
      uflags,
    });
    for (const text of ["2.6.33", "#1", arch.name]) {
      const field = Buffer.alloc(65);
      field.write(text);
      this.buffer(field);
    }
    this.add(RECORDS.HEADER_ARCH, arch.family === "x86" ? { has_fxsr: 1, xstate_size: 512 } : {});
    this.add(RECORDS.CONTAINER);
    if (this.since("d55d4c8")) {
      this.buffer(Buffer.from("default\0\0\0\0"));
      this.add(RECORDS.LSM_INFO, {}, Buffer.from("dummy"));
    }
    return this.#taskArray(tasks);
  }

  #taskArray(tasks: readonly (readonly number[])[]): this {
    const hasPids = this.since("b6cdf01");
    const pids = [...new Set(tasks.flat().filter((pid) => pid > 0))];
    if (hasPids) {
      const offset = this.#nextRef;
      this.#nextRef += pids.length;
      this.add(RECORDS.PIDS, { nr_pids: pids.length, nr_vpids: 0, offset });
      this.buffer(this.u32s(...pids.flatMap((pid) => [0, pid])));
      const tag = (pid: number): number => (pid === 0 ? 0 : offset + pids.indexOf(pid));
      this.add(RECORDS.TREE, { nr_tasks: tasks.length });
      return this.buffer(Buffer.concat(tasks.map((ids) => this.u32s(...ids.map(tag), 0))));
    }
    this.add(RECORDS.TREE, { nr_tasks: tasks.length });
    const rest = this.dialect.commit === "c83f38b" ? [0, 0, 0] : [0];
    this.buffer(Buffer.concat(tasks.map((ids) => this.u32s(...ids, ...rest))));
    return this.dialect.commit === "c83f38b" || this.dialect.commit === "78d18cf"
      ? this.add(RECORDS.VPIDS, { nr_vpids: 0 })
      : this;
  }

  tail(): this {
    return this.add(RECORDS.TAIL, { magic: 0x002d2a0cc0deef00n });
  }
}
