import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CRIMG } from "./cli.js";
import { freshDirectory, type Live, start, treeOf, until } from "./live.js";

const driver = fileURLToPath(new URL("../support/on-terminal.py", import.meta.url));

/** A new pseudo terminal whose master a process of the test holds, and a command that leads a session on it. */
export class OnTerminal {
  private constructor(
    /** The process that holds the master. */
    readonly holder: Live,
    readonly input: string,
    readonly output: string,
  ) {}

  static async start(command: readonly string[]): Promise<OnTerminal> {
    const dir = freshDirectory("terminal");
    const [input, output] = [join(dir, "input"), join(dir, "output")];
    for (const file of [input, output]) writeFileSync(file, "");
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/", TERM: "dumb", LANG: "C.UTF-8" };
    const holder = await start(["/usr/bin/python3", driver, input, output, ...command], {
      cwd: "/",
      env,
    });
    return new OnTerminal(holder, input, output);
  }

  /**
   * A terminal on which `crimg restore` leads the session, with the slim backend. It ends once the tasks run, or with
   * them: those that join its session lose their terminal when it ends.
   */
  static restore(image: string, ends: "at once" | "with them" = "at once"): Promise<OnTerminal> {
    const command = [CRIMG, "restore", image, "--backend", "slim"];
    const detach = ends === "at once" ? ["--detach"] : [];
    return OnTerminal.start([process.execPath, ...command, ...detach]);
  }

  /** The command, once it has begun. */
  async command(): Promise<Live> {
    await until("the command on the terminal", () => treeOf(this.holder.pid).length > 1);
    return { pid: treeOf(this.holder.pid)[1] as number };
  }

  type(text: string): void {
    appendFileSync(this.input, text);
  }

  get said(): string {
    return readFileSync(this.output, "utf8");
  }

  /** Waits until the terminal says something that matches. */
  async says(pattern: RegExp): Promise<void> {
    await until(
      `the terminal to say ${pattern}`,
      () => pattern.test(this.said),
      () => this.said.slice(-400),
      30,
    );
  }

  /** Waits until nobody has the terminal open any more. */
  async ends(): Promise<void> {
    await until(
      "the end of the terminal",
      () => treeOf(this.holder.pid).length === 0 || isZombie(this.holder.pid),
    );
  }
}

function isZombie(pid: number): boolean {
  return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/, ""));
}
