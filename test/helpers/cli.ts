import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The built program, as a user starts it; CRIMG_PROGRAM names another build. */
export const CRIMG = process.env.CRIMG_PROGRAM ?? fileURLToPath(new URL("../../bin/run.js", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came, for commands that write binary. */
  readonly bytes: Buffer;
}

export interface CliOptions {
  /** A copy of `CRIMG` elsewhere. */
  readonly program?: string;
  /** What stands on stdin; without it stdin is empty. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Seconds before the command is killed, which shows as `signal`. */
  readonly seconds?: number;
  /** A program with its arguments that starts it, such as `prlimit`. */
  readonly through?: readonly string[];
  /** Stdout goes to /dev/null: for answers that are too long to keep. */
  readonly discard?: boolean;
}

/** Runs the real `crimg` with a quiet, fixed environment: no colour, 80 columns, UTC, fixtures of whatever owner. */
export function crimg(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { input = "", env = {}, cwd, seconds = 60, discard = false, program = CRIMG, through = [] } = options;
  const [command = process.execPath, ...words] = [...through, process.execPath, program, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd,
      env: { ...plainEnvironment(), ...env },
      stdio: ["pipe", discard ? "ignore" : "pipe", "pipe"],
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin?.on("error", () => {}); // a command need not read its stdin
    child.stdin?.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const bytes = Buffer.concat(out);
      const stderr = Buffer.concat(err).toString("utf8");
      resolve({ code, signal, bytes, stdout: bytes.toString("utf8"), stderr });
    });
  });
}

/** `crimg ARGS --json`, parsed; the test fails when the answer is no JSON. */
export async function crimgJson(
  args: readonly string[],
  options?: CliOptions,
): Promise<{ code: number | null; json: unknown }> {
  const { code, stdout, stderr } = await crimg([...args, "--json"], options);
  try {
    return { code, json: JSON.parse(stdout) };
  } catch (cause) {
    throw new Error(
      `crimg ${args.join(" ")} --json gave no JSON: ${stdout.slice(0, 400)}\n${stderr.slice(0, 400)}`,
      { cause },
    );
  }
}

/** The quiet, fixed environment. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR, CRIMG_DEBUG, DEBUG, NODE_OPTIONS, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1", COLUMNS: "80", TZ: "UTC", LC_ALL: "C.UTF-8", CRIMG_OWNER: "0" };
}

/** NODE_OPTIONS that load a module first, whatever letters its path has. */
export function preloading(file: string): string {
  return `--require=${JSON.stringify(file)}`;
}
