import { fileNameOf } from "../../../src/formats/criu/detect.js";
import { FILE_TYPES } from "../../../src/formats/criu/file-types.js";
import { tableOf } from "../../../src/formats/criu/image.js";
import type { ImageKind } from "../../../src/formats/criu/image-kind.js";
import { CriuImageSet } from "../../../src/formats/criu/image-set.js";
import { IMAGE_KINDS, IMAGES } from "../../../src/formats/criu/images.js";
import { FD_TYPES, FILE_ENTRY } from "../../../src/formats/criu/tables/fdinfo.js";
import { DirectoryFileSet } from "../../../src/io/file-set.js";
import { MAX_SET_FILES } from "../../../src/io/limits.js";
import { encodeMessage } from "../../../src/schema/encode.js";
import type { AnyValue, MessageTable } from "../../../src/schema/message.js";
import { fixture } from "../images.js";
import { type HostileInput, HostileSet } from "./build.js";
import { FILLED_BYTES, type Filled, filledFields, numbered, sampleOf } from "./filled.js";

/** `container` has most kinds of images; a kind that no fixture has is put beside the images of `logger`. */
const FIXTURES = ["container", "deleted", "locks", "logger", "sockets", "terminal", "threads", "tree"];
const SPARE_FIXTURE = "logger";
/** The root task of every fixture, and the descriptor table of those with one. */
const ROOT_PID = 1000;
const FREE_ID = 1000;

/** Where a kind stands in a real set, and a record of it. */
interface Place {
  readonly fixture: string;
  readonly id: number | undefined;
  readonly records: readonly AnyValue[];
}

/** A hostile set of every kind of image, of every kind of open file, and of every list and text in each of them. */
export function everyKind(): readonly HostileInput[] {
  const kinds = IMAGE_KINDS.filter(({ magic, status }) => magic !== undefined && status !== "unused");
  return [...kinds.flatMap(inputsOf), ...FILE_TYPES.flatMap(filesOf)];
}

function inputsOf(kind: ImageKind): HostileInput[] {
  const place = placeOf(kind);
  const file = fileNameOf(kind, place.id).replace("%s", "dump");
  const last = tableOf(kind, place.records.length);
  const heads = kind.entries.slice(0, -1).map((_, i) => recordOf(kind, place, i));
  const sample = recordOf(kind, place, heads.length);
  const full = (title: string, record: (nth: number) => AnyValue): HostileInput =>
    input(title, place.fixture, file, (set) => {
      const count = countOf(tableOf(kind, heads.length), record(FILLED_BYTES));
      set.image(kind, place.id, count, (i) => heads[i] ?? record(i));
    });
  const lists = kind.entries.flatMap((_, at) =>
    [...filledFields(tableOf(kind, at), recordOf(kind, place, at))].map((filled) =>
      input(`${kind.name}[${at}].${filled.path.join(".")}`, place.fixture, file, (set) =>
        set.image(kind, place.id, at + 1, (i) => (i === at ? filled.value : recordOf(kind, place, i))),
      ),
    ),
  );
  return [
    full(`${kind.name}, one record again and again`, () => sample),
    full(`${kind.name}, records of their own`, (nth) => numbered(last, sample, nth)),
    ...lists,
  ];
}

/** So many open files of one type, each with a descriptor, and one of them with each of its lists filled. */
function filesOf({ type, member }: (typeof FILE_TYPES)[number]): HostileInput[] {
  const number = FD_TYPES.values.get(type) as number;
  const place = fileOf(type, member);
  const table = memberTable(member);
  const files = (title: string, record: (nth: number) => AnyValue, most = MAX_SET_FILES): HostileInput =>
    input(title, place.fixture, IMAGES.FILES.file, (set) => {
      const entry = (nth: number) => ({ type: number, id: FREE_ID + nth, [member]: record(nth) });
      const count = Math.min(
        most,
        MAX_SET_FILES - place.others.length,
        countOf(tableOf(IMAGES.FILES, 0), entry(FILLED_BYTES)),
      );
      set.image(IMAGES.FILES, undefined, place.others.length + count, (i) =>
        i < place.others.length ? (place.others[i] as AnyValue) : entry(i - place.others.length),
      );
      set.image(IMAGES.FDINFO, place.table, count, (i) => ({
        ...{ id: FREE_ID + i, flags: 0, type: number, fd: i },
      }));
    });
  const withId = (value: AnyValue, nth: number): AnyValue => ({ ...value, id: FREE_ID + nth });
  return [
    files(`open files ${type}, one again and again`, (nth) => withId(place.sample, nth)),
    files(`open files ${type}, files of their own`, (nth) => withId(numbered(table, place.sample, nth), nth)),
    ...[...filledFields(table, place.sample)].map(({ path, value }: Filled) =>
      files(`open file ${type}.${path.join(".")}`, (nth) => withId(value, nth), 1),
    ),
  ];
}

function memberTable(member: (typeof FILE_TYPES)[number]["member"]): MessageTable {
  return FILE_ENTRY.fields[member].type as MessageTable;
}

/** The open files of the fixture that has one of this type, and its descriptor table. */
function fileOf(type: string, member: (typeof FILE_TYPES)[number]["member"]) {
  const number = FD_TYPES.values.get(type);
  for (const name of [...FIXTURES, SPARE_FIXTURE]) {
    const set = openSet(name);
    const others = set.records(IMAGES.FILES).map(({ value }) => value as AnyValue);
    const sample = others.find((value) => value.type === number)?.[member] as AnyValue | undefined;
    const table = set.ids(IMAGES.FDINFO)[0];
    set.close();
    if (sample !== undefined) return { fixture: name, others, sample, table };
  }
  const spare = openSet(SPARE_FIXTURE);
  const others = spare.records(IMAGES.FILES).map(({ value }) => value as AnyValue);
  const table = spare.ids(IMAGES.FDINFO)[0];
  spare.close();
  return { fixture: SPARE_FIXTURE, others, sample: sampleOf(memberTable(member), 1), table };
}

function input(title: string, name: string, image: string, fill: (set: HostileSet) => unknown): HostileInput {
  const make = (directory: string): string => {
    const set = new HostileSet(name, directory);
    fill(set);
    return set.path;
  };
  return { name: `a set of ${title}`, make, image, worst: [] };
}

function placeOf(kind: ImageKind): Place {
  for (const name of FIXTURES) {
    const set = openSet(name);
    const file = set.files.find((each) => each.kind === kind);
    const records =
      file === undefined ? [] : set.records(kind, file.id).map(({ value }) => value as AnyValue);
    set.close();
    if (file !== undefined && records.length > 0) return { fixture: name, id: file.id, records };
  }
  return {
    fixture: SPARE_FIXTURE,
    id: fileNameOf(kind, 7) === kind.file ? undefined : ROOT_PID,
    records: [],
  };
}

function recordOf(kind: ImageKind, { records }: Place, at: number): AnyValue {
  return records[at] ?? sampleOf(tableOf(kind, at), 1);
}

function countOf(table: MessageTable, record: AnyValue): number {
  return Math.floor(FILLED_BYTES / (encodeMessage(table, record as never).length + 4));
}

function openSet(name: string): CriuImageSet {
  return new CriuImageSet(new DirectoryFileSet(fixture(name)));
}
