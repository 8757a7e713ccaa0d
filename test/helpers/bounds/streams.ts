import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RECORDS } from "../../../src/formats/linux-cr/records.js";
import { WRITTEN_DIALECT } from "../../../src/formats/linux-cr/stream-writer.js";
import { openDocument, planConversion, writeConversion } from "../../../src/index.js";
import { StreamBuilder } from "../build-stream.js";
import { freshDirectory } from "../live.js";
import { type HostileInput, listOf } from "./build.js";
import { IMAGE_WAYS, type Way } from "./commands.js";
import { SETS } from "./sets.js";

/** An input with the commands that make sense for it. */
export interface HostileFile extends HostileInput {
  readonly ways: readonly Way[];
}

const one = (command: string): Way => ({ name: command, args: (image) => [command, image] });

const STREAM_WAYS: readonly Way[] = [...IMAGE_WAYS, ...["info", "dump", "decode", "x"].map(one)];

const ENCODE: Way = {
  name: "encode",
  args: (json, scratch) => ["encode", json, "-o", join(scratch, "encoded.img")],
};

function file(
  name: string,
  bytes: () => Buffer,
  ways: readonly Way[],
  worst: readonly string[],
): HostileFile {
  const make = (directory: string): string => {
    const path = join(directory, "hostile");
    writeFileSync(path, bytes());
    return path;
  };
  return { name, make, ways, worst };
}

const built = (name: string, build: (stream: StreamBuilder) => unknown, worst: readonly string[] = []) =>
  file(
    `a stream of ${name}`,
    () => {
      const stream = new StreamBuilder(WRITTEN_DIALECT);
      build(stream);
      return stream.bytes;
    },
    STREAM_WAYS,
    worst,
  );

/** The stream that a hostile set becomes. */
function converted(name: string, worst: readonly string[] = []): HostileFile {
  const make = (directory: string): string => {
    const set = SETS.find((input) => input.name === name);
    if (set === undefined) throw new Error(`there is no set with ${name}`);
    const path = join(directory, "hostile");
    const document = openDocument(set.make(freshDirectory("set")));
    writeConversion(planConversion(document), path, false, () => {});
    document.close();
    return path;
  };
  return { name: `a stream with ${name}`, make, ways: STREAM_WAYS, worst };
}

const json = (name: string, text: () => string, worst: readonly string[] = []) =>
  file(`JSON of ${name}`, () => Buffer.from(text()), [ENCODE], worst);

const INVENTORY = '{"magic":"INVENTORY","entries":[';

/** Sets of `SETS` whose conversion once took minutes or too much memory: it runs always. */
export const CONVERTED: ReadonlySet<string> = new Set([
  "60,000 terminals, 30,000 with an entry",
  "60,000 timerfds",
  "60,000 epoll files that watch the next",
  "a message of 500,000 timers",
  "400,000 limits and signal actions of one task",
]);

/** linux-cr streams, and JSON that is to be encoded, of some 10 MB. */
export const FILES: readonly HostileFile[] = [
  converted("60,000 timerfds", ["show fds", "convert"]),
  converted("60,000 epoll files that watch the next"),
  converted("60,000 terminals, 30,000 with an entry", ["convert"]),
  converted("200,000 locks of one file", ["convert"]),
  converted("a message of 500,000 timers"),
  converted("130,000 mappings that all overlap", ["diff"]),
  built("20,000 tasks in a chain", (s) => s.head(listOf(20_000, (i) => [i + 1, i, i + 1, 1, 1])).tail()),
  built("20,000 times one task", (s) => s.head(listOf(20_000, () => [1, 0, 1, 1, 1])).tail()),
  built("1,000,000 empty buffers", (s) => {
    s.head([[1, 0, 1, 1, 1]]);
    const { parts } = new StreamBuilder(WRITTEN_DIALECT).buffer(0);
    s.raw(Buffer.alloc(8_000_000, parts[0] as Buffer)).tail();
  }),
  built("400,000 objects one inside the other", (s) => {
    s.head([[1, 0, 1, 1, 1]]);
    for (let i = 0; i < 400_000; i++) s.objref("FILE");
    s.tail();
  }),
  built("200,000 objects of one number", (s) => {
    s.head([[1, 0, 1, 1, 1]]);
    for (let i = 0; i < 200_000; i++) s.objref("FILE", 1);
    s.tail();
  }),
  built("100,000 files without a descriptor", (s) => {
    s.head([[1, 0, 1, 1, 1]]);
    for (let i = 0; i < 100_000; i++) {
      s.objref("FILE");
      s.add(RECORDS.FILE, { f_type: 1 }).text(RECORDS.FILE_NAME, "/x");
    }
    s.tail();
  }),
  json("a list 5,000,000 deep", () => `${INVENTORY}${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}]}`),
  json("objects 1,000,000 deep", () => `${INVENTORY}${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}]}`),
  json("a text of 10 MB", () => `${INVENTORY}{"img_version":"${"x".repeat(10_000_000)}"}]}`),
  json("3,000,000 empty records", () => `${INVENTORY}${"{},".repeat(3_000_000)}{}]}`),
  json("one record of 900,000 fields", () => `${INVENTORY}{${listOf(900_000, (i) => `"f${i}":1`).join()}}]}`),
  json("a number of 10,000,000 digits", () => `${INVENTORY}{"img_version":${"9".repeat(10_000_000)}}]}`),
];
