import type { MessagePort } from "node:worker_threads";
import { FormatError } from "../../index.js";
import { redirectOutput } from "../output.js";

/** What one command line did. */
export interface RunResult {
  readonly exit: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Both outputs of one image are held until its turn. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** Runs each command line that comes by the port with its output kept, and answers with what it did. */
export function serve(port: MessagePort, main: (argv: string[]) => Promise<void>): void {
  port.on("message", async (argv: string[]) => {
    const chunks: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
    let left = MAX_OUTPUT_BYTES;
    redirectOutput((fd, bytes) => {
      left -= bytes.length;
      if (left < 0 && fd === 1)
        throw new FormatError(
          "TOO_LARGE",
          `output above ${MAX_OUTPUT_BYTES} bytes; look at this image alone`,
        );
      chunks[fd].push(Buffer.from(bytes));
    });
    process.exitCode = undefined;
    await main(argv);
    process.removeAllListeners("uncaughtException");
    const [stdout, stderr] = [Buffer.concat(chunks[1]), Buffer.concat(chunks[2])];
    port.postMessage({ exit: Number(process.exitCode ?? 0), stdout, stderr } satisfies RunResult);
  });
}
