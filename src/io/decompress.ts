import { Worker } from "node:worker_threads";
import { FormatError, UnsupportedError } from "./errors.js";
import type { FileRange } from "./unpacked-source.js";

export type WorkerCodec = "gzip" | "zlib" | "zstd";

const RING_BYTES = 8 * 1024 * 1024;
/** Words of the shared state: bytes written and read, modulo 2^32, how it ended, and bytes of the message at the end. */
const [WRITTEN, READ, ENDED, MESSAGE, WORDS] = [0, 1, 2, 3, 4];
/** How it ended; any other number is a failure with a message. */
const [RUNNING, WELL, NO_PROGRAM] = [0, 1, 3];
const MESSAGE_BYTES = 4096;
/** A worker starts within milliseconds; without a sign of life it never will. */
const START_MS = 60_000;

/** What a worker gets. */
interface Task extends FileRange {
  readonly codec: WorkerCodec;
  readonly state: Int32Array;
  readonly ring: Uint8Array;
  readonly message: Uint8Array;
}

/** The `zstd` program is needed and missing. */
export class NoProgram extends UnsupportedError {}

/**
 * The decompressed bytes of a range of a file, in order; each chunk is valid until the next one. A worker decompresses
 * meanwhile: gzip and zlib by Node's zlib, zstd by the program `zstd`, since the zlib of Node 22 ends quietly after the first
 * frame and where data is cut off.
 * Errors: FormatError INVALID or TRUNCATED; NoProgram.
 */
export function* decompressed(from: FileRange, codec: WorkerCodec, name: string): Generator<Buffer> {
  const state = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const ring = new Uint8Array(new SharedArrayBuffer(RING_BYTES));
  const message = new Uint8Array(new SharedArrayBuffer(MESSAGE_BYTES));
  const task: Task = { ...from, codec, state, ring, message };
  // esbuild marks the names of functions by a helper of its own.
  const program = `const __name = (f) => f; (${work.toString()})(require)`;
  const worker = new Worker(program, { eval: true, workerData: task, env: process.env });
  worker.unref();
  worker.on("error", () => {}); // it has been told in `state`
  try {
    for (let read = 0; ; ) {
      const written = Atomics.load(state, WRITTEN);
      const waiting = (written - read) | 0;
      const ended = Atomics.load(state, ENDED);
      if (waiting > 0) {
        const start = (read >>> 0) % RING_BYTES;
        const size = Math.min(waiting, RING_BYTES - start);
        yield Buffer.from(ring.buffer, start, size);
        read = (read + size) | 0;
        Atomics.store(state, READ, read);
        Atomics.notify(state, READ);
      } else if (ended === RUNNING) {
        if (Atomics.wait(state, WRITTEN, written, START_MS) === "timed-out" && written === 0)
          throw new UnsupportedError("cannot decompress: no worker thread starts", { file: name });
      } else if (Atomics.load(state, WRITTEN) === written) {
        if (ended === WELL) return;
        const text = Buffer.from(message.subarray(0, Atomics.load(state, MESSAGE))).toString("latin1");
        throw failure(ended, codec, text, name);
      }
    }
  } finally {
    void worker.terminate();
  }
}

function failure(ended: number, codec: WorkerCodec, text: string, file: string): Error {
  if (ended === NO_PROGRAM) return new NoProgram("the program zstd is missing", { file });
  if (/unexpected end|premature|unfinished|truncated/i.test(text))
    return new FormatError("TRUNCATED", `truncated ${codec} data`, { file });
  return new FormatError("INVALID", `invalid ${codec} data: ${text}`, { file });
}

/** The program of the worker: only its text gets there, so it can use nothing from outside. */
function work(load: NodeJS.Require): void {
  const { workerData } = load("node:worker_threads") as typeof import("node:worker_threads");
  const fs = load("node:fs") as typeof import("node:fs");
  const zlib = load("node:zlib") as typeof import("node:zlib");
  const { spawn } = load("node:child_process") as typeof import("node:child_process");
  const { path, offset, size, codec, state, ring, message } = workerData as Task;
  const chunkSize = 256 * 1024;
  let written = 0;

  const put = (chunk: Uint8Array): void => {
    for (let done = 0; done < chunk.length; ) {
      const read = Atomics.load(state, 1);
      const free = ring.length - ((written - read) | 0);
      if (free === 0) {
        Atomics.wait(state, 1, read);
        continue;
      }
      const start = (written >>> 0) % ring.length;
      const part = Math.min(free, ring.length - start, chunk.length - done);
      ring.set(chunk.subarray(done, done + part), start);
      done += part;
      written = (written + part) | 0;
      Atomics.store(state, 0, written);
      Atomics.notify(state, 0);
    }
  };
  const end = (how: number, text = ""): void => {
    if (Atomics.load(state, 2) !== 0) return;
    const bytes = Buffer.from(text, "latin1").subarray(0, message.length);
    message.set(bytes);
    Atomics.store(state, 3, bytes.length);
    Atomics.store(state, 2, how);
    Atomics.notify(state, 0);
  };
  const fail = (error: Error): void => end(2, error.message);
  process.on("uncaughtException", fail);

  const read = (): import("node:fs").ReadStream => {
    const range = { start: offset, end: offset + size - 1, highWaterMark: chunkSize };
    return fs.createReadStream(path, range).on("error", fail);
  };
  const through = (stream: import("node:stream").Transform): void => {
    stream.on("data", put);
    stream.on("error", fail);
    stream.on("end", () => end(1));
    read().pipe(stream);
  };
  if (codec === "gzip") through(zlib.createGunzip({ chunkSize }));
  else if (codec === "zlib") through(zlib.createInflate({ chunkSize }));
  else {
    const fd = fs.openSync(path, "r");
    // A whole file is read by the program itself: through a pipe of Node it takes twice as long.
    const isWhole = offset === 0 && fs.fstatSync(fd).size === size;
    const child = spawn("zstd", ["-d", "-c", "-q"], { stdio: [isWhole ? fd : "pipe", "pipe", "pipe"] });
    fs.closeSync(fd);
    let said = "";
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? end(3) : fail(error)));
    child.stdin?.on("error", () => {}); // it ends before its input does only after it has told why
    child.stdout?.on("data", put);
    child.stderr?.on("data", (text: Buffer) => {
      if (said.length < 1000) said += text.toString("latin1");
    });
    child.on("close", (status: number | null) =>
      status === 0 ? end(1) : end(2, said.split(" : ").at(-1)?.trim() || "zstd ended early"),
    );
    if (child.stdin !== null) read().pipe(child.stdin);
  }
}
