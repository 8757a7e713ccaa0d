/** Podman with storage, runtime and criu of its own, and a container that it runs; what is made is removed by `end`. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { needCriu } from "./criu.js";
import { freshDirectory, program, until } from "./live.js";
import { needs } from "./needs.js";
import { skip } from "./suite.js";

/** The image of the program ticker. */
const IMAGE = "localhost/ticker:1";

export class Podman {
  readonly home = freshDirectory("podman");

  /** Errors: skips the test where podman, runc or criu are missing. */
  constructor() {
    const criu = needCriu();
    needs("podman", "runc", "zstd", "nsenter", "iproute2");
    mkdirSync(join(this.home, "bin"));
    symlinkSync(criu, join(this.home, "bin/criu"));
    // runc hands this to criu: there are no iptables here to lock the network with.
    writeFileSync(join(this.home, "criu.conf"), "network-lock skip\n");
    const image = join(this.home, "image");
    for (const directory of ["bin", "etc", "data", "tmp"])
      mkdirSync(join(image, directory), { recursive: true });
    cpSync(program("ticker"), join(image, "bin/ticker"));
    writeFileSync(join(image, "etc/motd"), "welcome\n");
    const { status } = spawnSync("tar", ["-C", image, "-cf", join(this.home, "image.tar"), "."]);
    assert.is(status, 0);
    this.run("import", join(this.home, "image.tar"), IMAGE);
  }

  /** Runs podman; gives what it prints. */
  run(...args: string[]): string {
    const { home } = this;
    const storage = ["--root", join(home, "root"), "--runroot", join(home, "run"), "--storage-driver", "vfs"];
    const engine = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
    const { status, stdout, stderr } = spawnSync("podman", [...storage, ...engine, ...args], {
      encoding: "utf8",
      timeout: 120_000,
      env: { ...process.env, PATH: `${join(home, "bin")}:${process.env.PATH}` },
    });
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  /** The environment in which a plain `podman` is this one. */
  environment(): Record<string, string> {
    const { home } = this;
    const [storage, engine] = [join(home, "storage.conf"), join(home, "containers.conf")];
    const roots = `graphroot = "${join(home, "root")}"\nrunroot = "${join(home, "run")}"`;
    writeFileSync(storage, `[storage]\ndriver = "vfs"\n${roots}\n`);
    const kinds = 'runtime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"';
    writeFileSync(engine, `[engine]\n${kinds}\n`);
    const PATH = `${join(home, "bin")}:${process.env.PATH}`;
    return { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: engine, PATH };
  }

  /** Starts ticker, with its ticks in a named volume. Errors: skips the test where no container can be run. */
  async start(name: string, network = "none"): Promise<void> {
    const isolation = ["--net", network, "--hostname", "ticker", "--security-opt", "seccomp=unconfined"];
    const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
    const criu = ["--annotation", `org.criu.config=${join(this.home, "criu.conf")}`];
    const given = ["--volume", `${name}-ticks:/data`, "--env", "GREETING=good morning"];
    try {
      this.run(
        ...["run", "--detach", "--name", name, ...isolation, ...limits, ...criu, ...given],
        ...[IMAGE, "/bin/ticker"],
      );
    } catch (error) {
      skip(`podman cannot run a container here: ${(error as Error).message.split("\n").at(-1)}`, "podman");
    }
    await until("ticks of the container", () => this.run("logs", name).includes("tick 2"));
  }

  /** What a program in the network of a container answers at a port. */
  ask(name: string, port: number): string {
    const pid = this.run("inspect", "--format", "{{.State.Pid}}", name);
    // Neither podman nor runc sets up the loopback of a restored network namespace.
    spawnSync("nsenter", ["-t", pid, "-n", "ip", "link", "set", "lo", "up"]);
    const client = `require("net").connect(${port}, "127.0.0.1").pipe(process.stdout)`;
    const { stdout, stderr } = spawnSync("nsenter", ["-t", pid, "-n", process.execPath, "-e", client], {
      encoding: "utf8",
      timeout: 20_000,
    });
    return stdout + stderr;
  }

  /** The text of a file in a running container. */
  fileOf(name: string, file: string): string {
    const pid = this.run("inspect", "--format", "{{.State.Pid}}", name);
    return readFileSync(`/proc/${pid}/root${file}`, "utf8");
  }

  /** Removes all containers and volumes. */
  end(): void {
    if (!existsSync(join(this.home, "root"))) return;
    this.run("rm", "--force", "--all");
    this.run("volume", "rm", "--force", "--all");
    spawnSync("umount", ["-R", join(this.home, "root")]);
  }
}
