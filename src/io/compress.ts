import { Worker } from "node:worker_threads";
import { CrimgError, UnsupportedError } from "./errors.js";

/** How data can be compressed: gzip and zlib by Node's zlib, zstd by it too where it has zstd, else by the program. */
export type CompressorName = "gzip" | "zlib" | "zstd";

const RING_BYTES = 2 * 1024 * 1024;
/** Words of the shared state: bytes put into and taken out of both rings, modulo 2^32, and what has ended. */
const [IN_PUT, IN_TAKEN, OUT_PUT, OUT_TAKEN, IN_ENDED, ENDED, STEPS, MESSAGE, WORDS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
];
/** How it ended; any other number is a failure with a message. */
const [RUNNING, WELL, NO_PROGRAM] = [0, 1, 3];
const MESSAGE_BYTES = 4096;
/** A worker starts within milliseconds; without a sign of life it never will. */
const START_MS = 60_000;

/** What a worker gets. */
interface Task {
  readonly codec: CompressorName;
  readonly state: Int32Array;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly message: Uint8Array;
}

/**
 * The compressed bytes of chunks, in order, as one stream or frame; each is valid until the next one. A worker compresses
 * while the chunks are made. Errors: those of the chunks; UNSUPPORTED without the program zstd where Node has no zstd; IO.
 */
export function* compressed(
  chunks: Iterable<Buffer>,
  codec: CompressorName,
  name: string,
): Generator<Buffer> {
  const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
  const state = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const [input, output, message] = [shared(RING_BYTES), shared(RING_BYTES), shared(MESSAGE_BYTES)];
  const task: Task = { codec, state, input, output, message };
  // esbuild marks the names of functions by a helper of its own.
  const program = `const __name = (f) => f; (${work.toString()})(require)`;
  const worker = new Worker(program, { eval: true, workerData: task, env: process.env });
  worker.unref();
  worker.on("error", () => {}); // it has been told in `state`
  let taken = 0;
  function* take(): Generator<Buffer> {
    for (let waiting = (Atomics.load(state, OUT_PUT) - taken) | 0; waiting > 0; ) {
      const start = (taken >>> 0) % RING_BYTES;
      const size = Math.min(waiting, RING_BYTES - start);
      yield Buffer.from(output.buffer, start, size);
      taken = (taken + size) | 0;
      waiting -= size;
      Atomics.store(state, OUT_TAKEN, taken);
      Atomics.notify(state, OUT_TAKEN);
    }
  }
  const wait = (steps: number): void => {
    if (Atomics.wait(state, STEPS, steps, START_MS) === "timed-out" && steps === 0)
      throw new UnsupportedError("cannot compress: no worker thread starts", { file: name });
  };
  const failed = (): boolean => Atomics.load(state, ENDED) > WELL;
  try {
    let put = 0;
    for (const chunk of chunks)
      for (let done = 0; done < chunk.length && !failed(); ) {
        const steps = Atomics.load(state, STEPS);
        const free = RING_BYTES - ((put - Atomics.load(state, IN_TAKEN)) | 0);
        if (free > 0) {
          const start = (put >>> 0) % RING_BYTES;
          const size = Math.min(free, RING_BYTES - start, chunk.length - done);
          input.set(chunk.subarray(done, done + size), start);
          done += size;
          put = (put + size) | 0;
          Atomics.store(state, IN_PUT, put);
          Atomics.notify(state, IN_PUT);
        } else if (Atomics.load(state, OUT_PUT) === taken) wait(steps);
        yield* take();
      }
    Atomics.store(state, IN_ENDED, 1);
    Atomics.notify(state, IN_PUT);
    for (;;) {
      const steps = Atomics.load(state, STEPS);
      const ended = Atomics.load(state, ENDED);
      yield* take();
      if (ended === WELL) return;
      if (ended !== RUNNING)
        throw failure(ended, Buffer.from(message), Atomics.load(state, MESSAGE), codec, name);
      if (Atomics.load(state, OUT_PUT) === taken) wait(steps);
    }
  } finally {
    void worker.terminate();
  }
}

function failure(ended: number, message: Buffer, size: number, codec: string, file: string): Error {
  if (ended === NO_PROGRAM)
    return new UnsupportedError("the program zstd is missing, which writes archives of this kind", { file });
  return new CrimgError("IO", `cannot compress with ${codec}: ${message.toString("latin1", 0, size)}`, {
    file,
  });
}

/** The program of the worker: only its text gets there, so it can use nothing from outside. */
function work(load: NodeJS.Require): void {
  const { workerData } = load("node:worker_threads") as typeof import("node:worker_threads");
  const zlib = load("node:zlib") as typeof import("node:zlib") & {
    createZstdCompress?: () => import("node:stream").Transform;
  };
  const { spawn } = load("node:child_process") as typeof import("node:child_process");
  const { codec, state, input, output, message } = workerData as Task;
  const chunkSize = 256 * 1024;
  const inputSize = 1024 * 1024;
  let put = 0;
  const step = (): void => {
    Atomics.add(state, 6, 1);
    Atomics.notify(state, 6);
  };
  const give = (chunk: Uint8Array): void => {
    for (let done = 0; done < chunk.length; ) {
      const taken = Atomics.load(state, 3);
      const free = output.length - ((put - taken) | 0);
      if (free === 0) {
        Atomics.wait(state, 3, taken);
        continue;
      }
      const start = (put >>> 0) % output.length;
      const size = Math.min(free, output.length - start, chunk.length - done);
      output.set(chunk.subarray(done, done + size), start);
      done += size;
      put = (put + size) | 0;
      Atomics.store(state, 2, put);
      step();
    }
  };
  const end = (how: number, text = ""): void => {
    if (Atomics.load(state, 5) !== 0) return;
    const bytes = Buffer.from(text, "latin1").subarray(0, message.length);
    message.set(bytes);
    Atomics.store(state, 7, bytes.length);
    Atomics.store(state, 5, how);
    step();
  };
  const fail = (error: Error): void => end(2, error.message);
  process.on("uncaughtException", fail);

  const feed = async (to: import("node:stream").Writable): Promise<void> => {
    for (let taken = 0; ; ) {
      const ended = Atomics.load(state, 4) === 1;
      const waiting = (Atomics.load(state, 0) - taken) | 0;
      if (waiting === 0) {
        if (ended) break;
        // What was given to the compressor needs turns of this thread.
        Atomics.wait(state, 0, taken, 20);
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const start = (taken >>> 0) % input.length;
      const size = Math.min(waiting, input.length - start, inputSize);
      // Its place in the ring is free once it was written, so that nothing has to be copied.
      const chunk = Buffer.from(input.buffer, start, size);
      await new Promise<void>((resolve) => to.write(chunk, () => resolve()));
      taken = (taken + size) | 0;
      Atomics.store(state, 1, taken);
      step();
    }
    to.end();
  };
  const through = (stream: import("node:stream").Transform): void => {
    stream.on("data", give);
    stream.on("error", fail);
    stream.on("end", () => end(1));
    void feed(stream);
  };
  if (codec === "gzip") through(zlib.createGzip({ chunkSize }));
  else if (codec === "zlib") through(zlib.createDeflate({ chunkSize }));
  else if (zlib.createZstdCompress !== undefined) through(zlib.createZstdCompress());
  else {
    const child = spawn("zstd", ["-c", "-q", "-3"], { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? end(3) : fail(error)));
    child.stdin.on("error", () => {}); // it ends before its input does only after it has told why
    child.stdout.on("data", give);
    child.stderr.on("data", (text: Buffer) => {
      if (said.length < 1000) said += text.toString("latin1");
    });
    child.on("close", (status: number | null) =>
      status === 0 ? end(1) : end(2, said.trim() || "zstd ended early"),
    );
    void feed(child.stdin);
  }
}
