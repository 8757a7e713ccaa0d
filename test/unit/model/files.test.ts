import * as assert from "uvu/assert";
import { IMAGES } from "../../../src/formats/criu/images.js";
import type { RegFileEntry } from "../../../src/formats/criu/tables/regfile.js";
import type { TtyInfoEntry } from "../../../src/formats/criu/tables/tty.js";
import type { LinuxCrImage } from "../../../src/formats/linux-cr/image.js";
import type { Part } from "../../../src/formats/linux-cr/parse.js";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import type { NewRecord } from "../../../src/formats/linux-cr/stream-writer.js";
import { encodeRecord } from "../../../src/formats/linux-cr/write.js";
import type { Piece } from "../../../src/io/concat.js";
import { encodeGhost, encodeRemap } from "../../../src/model/criu/deleted-files.js";
import { criuDescriptorTable, encodeDescriptor } from "../../../src/model/criu/descriptors.js";
import { encodeOwner, encodeRegular } from "../../../src/model/criu/files.js";
import { decodePipes, encodePipe, PIPE_IMAGES } from "../../../src/model/criu/pipes.js";
import { encodeMemfd } from "../../../src/model/criu/special-files.js";
import { CriuTerminal, encodeTerminal } from "../../../src/model/criu/terminals.js";
import * as linuxCrDescriptors from "../../../src/model/linux-cr/descriptors.js";
import { encodeFile, linuxCrFiles } from "../../../src/model/linux-cr/files.js";
import * as linuxCrPipes from "../../../src/model/linux-cr/pipes.js";
import { StreamReader } from "../../../src/model/linux-cr/reader.js";
import * as linuxCrSpecial from "../../../src/model/linux-cr/special-files.js";
import * as linuxCrTerminals from "../../../src/model/linux-cr/terminals.js";
import { openDocument } from "../../../src/open.js";
import { convertedFixture } from "../../helpers/converted-stream.js";
import { FIXTURE_NAMES, fixture, STREAM_FIXTURES, streamFixture } from "../../helpers/images.js";
import { suite } from "../../helpers/suite.js";

const test = suite("files are encoded as they were decoded");

/** Without what is not there, and what names others in the set or in this kernel. */
function stored(record: object, ...elsewhere: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(([name, value]) => value !== undefined && !elsewhere.includes(name)),
  );
}

function openSet(name: string) {
  const document = openDocument(fixture(name));
  if (document.family !== "criu") throw new Error(`${name} is no set`);
  return document;
}

/** Control characters fill the first words; what follows them is chance. */
function withoutChance(info: TtyInfoEntry): object {
  const words = (modes: TtyInfoEntry["termios"]) => modes && { ...modes, c_cc: modes.c_cc.slice(0, 4) };
  const { termios, termios_locked } = info;
  return stored({ ...info, termios: words(termios), termios_locked: words(termios_locked) }, "dev");
}

for (const name of FIXTURE_NAMES)
  test(`${name}: entries of the set`, () => {
    const { set, checkpoint } = openSet(name);
    for (const file of checkpoint.files.all) {
      const { fown, ...record } = file.record as RegFileEntry;
      if (fown !== undefined) assert.equal(encodeOwner(file.owner), stored(fown), file.label);
      if (file.type === "REG") assert.equal(encodeRegular(file), stored(record, "id", "mnt_id"), file.label);
    }
    for (const kind of ["pipe", "fifo"] as const) {
      const records = set.records(PIPE_IMAGES[kind]).map(({ value }) => stored(value));
      const buffers = decodePipes(set).filter((buffer) => buffer.kind === kind);
      assert.equal(
        buffers.map((buffer) => encodePipe(buffer, buffer.pipeId)),
        records,
      );
    }
    for (const id of set.ids(IMAGES.FDINFO)) {
      const { descriptors } = criuDescriptorTable(set, id, () => checkpoint.files);
      assert.equal(
        descriptors.map((each) => encodeDescriptor(each, each.fileId, each.type)),
        set.records(IMAGES.FDINFO, id).map(({ value }) => stored(value)),
      );
    }
    for (const { special, record } of checkpoint.files.all) {
      if (special?.kind !== "memfd") continue;
      const id = record.inode_id as number;
      const entry = set
        .records(IMAGES.MEMFD_INODE)
        .find(({ value }) => value.inode_id === BigInt(id)) as never as { readonly value: object };
      assert.equal(stored(encodeMemfd(special, id), "shmid"), stored(entry.value, "shmid"));
    }
    for (const { value } of set.records(IMAGES.TTY_INFO)) {
      const { info, data } = encodeTerminal(new CriuTerminal(value, set), value.id);
      assert.equal(withoutChance(info), withoutChance(value));
      const unread = set.records(IMAGES.TTY_DATA).find(({ value: each }) => each.tty_id === value.id);
      assert.equal(data, unread && stored(unread.value));
    }
    for (const [i, { value }] of set.records(IMAGES.REMAP_FPATH).entries()) {
      const deleted = checkpoint.deletedFiles[i];
      if (deleted === undefined) throw new Error("a deleted file is missing");
      assert.equal(encodeRemap(deleted, value.orig_id, value.remap_id), stored(value));
      if (deleted.ghost === undefined) continue;
      const records = set.records(IMAGES.GHOST_FILE, value.remap_id);
      const { head, payload, chunks } = encodeGhost(deleted.ghost);
      assert.equal(
        [head, ...chunks.map((chunk) => chunk.value)],
        records.map((each) => stored(each.value)),
      );
      const places = (ranges: readonly { readonly offset: number; readonly size: number }[]) =>
        ranges.filter(({ size }) => size > 0).map(({ offset, size }) => `${offset}+${size}`);
      assert.equal(
        places([...payload, ...chunks.flatMap((chunk) => chunk.payload)]),
        places(records.flatMap((each) => each.payload)),
      );
    }
  });

function bytesOf(piece: Piece): Buffer {
  if (Buffer.isBuffer(piece)) return piece;
  return "zeros" in piece ? Buffer.alloc(piece.zeros) : piece.source.read(piece.offset, piece.size);
}

/** Compares records with those of an image from an index on; gives how many there were. */
function assertSame(image: LinuxCrImage, start: number, records: Iterable<NewRecord>): number {
  let index = start;
  for (const { kind, fields, payload = Buffer.alloc(0) } of records) {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.concat(payload.map(bytesOf));
    const { offset, size } = image.range(index);
    const found = Buffer.from(image.source.read(offset, size));
    assert.equal(
      encodeRecord(kind, image.dialect, image.byteOrder, fields, bytes),
      found,
      image.label(index),
    );
    index++;
  }
  return index - start;
}

/** All open files of a stream, terminals and descriptors. */
function compare(image: LinuxCrImage): number {
  const reader = new StreamReader(image);
  const files = linuxCrFiles(reader);
  const pipes = linuxCrPipes.decodePipes(reader);
  const indexOf = (part: Part, kind: NewRecord["kind"]) => reader.get(part, kind).index;
  let compared = 0;
  for (const part of reader.objects("FILE")) {
    const file = files.get(part.objref ?? 0);
    if (file === undefined) throw new Error("an open file is missing");
    const { f_credref: credentials, ...own } = reader.get(part, RECORDS.FILE).value;
    const extra = reader.find(part, RECORDS.UNLINKED_EXTRA)?.value;
    const numbers = {
      ...{ objref: file.id, credentials },
      own: stored(own, "f_type", "f_mode", "f_flags", "f_pos"),
      tag: () => reader.find(part, RECORDS.FILE_OWNER)?.value.pid_ref,
      pipe: pipes.find(({ origin }) => origin.record === reader.index(part, RECORDS.PIPE_BUF)),
      inode: extra && { objref: extra.inode_objref, isNew: (extra.flags & 2) === 0 },
    };
    const { type, path, flags, position, owner, identity, deleted, special } = file;
    const saved = { type, path, flags, position, owner, identity, deleted };
    compared += assertSame(image, indexOf(part, RECORDS.FILE), encodeFile(saved, numbers));
    if (special?.kind !== "memfd") continue;
    const { index, value } = reader.get(part, RECORDS.MEMFD);
    compared += assertSame(image, index, [linuxCrSpecial.encodeMemfd(special, value.inode_objref)]);
  }
  for (const part of reader.objects("TTY")) {
    const { index, value } = reader.get(part, RECORDS.TTY);
    const terminal = linuxCrTerminals.decodeTerminal(reader, part);
    const { sid_ref = 0, pgrp_ref = 0 } = reader.find(part, RECORDS.TTY_EXTRA)?.value ?? {};
    const tag = (pid: number) => (pid === terminal.session && sid_ref !== 0 ? sid_ref : pgrp_ref);
    const numbers = { master: value.link_objref, file: value.file_objref, tag };
    const records = terminal.isExternal
      ? linuxCrTerminals.encodeExternalMaster(terminal.index, value.file_objref)
      : linuxCrTerminals.encodeTerminal(terminal, numbers);
    compared += assertSame(image, index, records);
  }
  for (const part of reader.objects("FILE_TABLE")) {
    const descriptors = linuxCrDescriptors.linuxCrDescriptors(reader, part.objref ?? 0, () => files);
    for (const each of descriptors?.descriptors ?? [])
      compared += assertSame(image, each.origin.record, [
        linuxCrDescriptors.encodeDescriptor(each, each.fileId),
      ]);
  }
  return compared;
}

for (const name of FIXTURE_NAMES)
  test(`${name}: records of the converted stream`, () => {
    assert.ok(compare(convertedFixture(name).image) > 10);
  });

for (const name of STREAM_FIXTURES)
  test(`${name}.ckpt: records of the stream`, () => {
    const document = openDocument(streamFixture(name));
    if (document.family !== "linux-cr") throw new Error(`${name} is no stream`);
    assert.ok(compare(document.image) > 3);
  });

test.run();
