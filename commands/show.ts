import { existsSync } from "node:fs";
import { boolean } from "@oclif/core/flags";
import { BaseCommand } from "../src/cli/base-command.js";
import { type Answer, EXIT } from "../src/cli/exit-codes.js";
import { damageJson } from "../src/cli/failure.js";
import { choice, imagesArg, pidFlag, positional } from "../src/cli/flags.js";
import { lookedAtOwner } from "../src/cli/image-owner.js";
import { MANY_FLAGS, manyImages } from "../src/cli/many/flags.js";
import { nearest } from "../src/cli/nearest.js";
import { terminalWidth } from "../src/cli/output.js";
import { viewLines } from "../src/cli/show/lines.js";
import { recordLines } from "../src/cli/show/record.js";
import { summaryLines } from "../src/cli/show/summary.js";
import {
  CONTAINER_VIEWS,
  type Document,
  firstEdit,
  lookAt,
  openDocument,
  recordView,
  summaryView,
  UsageError,
  VIEWS,
  type ViewName,
} from "../src/index.js";

const RECORD = "record";
const VIEW_NAMES = [...(Object.keys(VIEWS) as ViewName[]), RECORD] as const;
/** Views that are not about single tasks. */
const OF_ALL_TASKS: ReadonlySet<string> = new Set(["ipc", ...CONTAINER_VIEWS, RECORD]);

/** Where the images end: at the name of a view, also a mistyped one. */
function firstView(words: readonly string[]): number {
  const isView = (word: string): boolean =>
    (VIEW_NAMES as readonly string[]).includes(word) || (!/[/.]/.test(word) && !existsSync(word));
  const at = words.findIndex((word, i) => i > 0 && isView(word));
  return at < 0 ? words.length : at;
}

export default class Show extends BaseCommand<typeof Show> {
  static override summary = "show the contents of a checkpoint";
  static override description = `Without VIEW, a summary on one screen. With VIEW, all objects of one kind:

  tree     process tree, dead leaders, zombies
  fds      descriptors of each task, current directory and root
  files    open files, their sizes, offsets and users
  maps     mappings of each task
  rss      stored pages of each mapping
  locks    file locks and leases, with the time left of breaking ones
  sockets  sockets with both ends, queues, states
  pipes    pipes and fifos with both ends
  mounts   mounts of the dumped mount namespaces
  ns       namespaces: dumped, or shared with criu
  creds    user and group ids, capabilities, seccomp
  signals  actions, blocked and pending signals
  timers   timers and interrupted calls, with the time left
  rlimits  resource limits
  cgroups  control groups and their properties
  ghosts   deleted files and how they are restored
  ipc      SysV shared memory, message queues, semaphores
  env      command line and environment, read from memory
  record   one record, or all records of an image, as stored

Of a checkpoint in an archive or directory of a container engine also:

  container  name, image, engine, times, addresses, ports, mounts, annotations
  rootfs     changed and deleted files of the root file system
  volumes    stored volumes, and what is mounted from the host
  pod        the pod, and the containers in the same archive

An archive is read in place: ARCHIVE//PATH names one of several sets in it. If the memory of a compressed archive is not at
hand, the summary leaves out the arguments of the program.

A linux-cr stream, from a file or stdin (-), has the same views; RECORD is the number of a record, or a type of record such as
VMA. Memory of a piped stream is not kept, so it has no view env.

Exit status: 0 shown; 1 no such task, image or record; 2 trouble.`;
  static override examples = [
    { description: "summary on one screen", command: "<%= config.bin %> show example/logger" },
    { description: "all descriptors", command: "<%= config.bin %> show example/logger fds" },
    {
      description: "mappings of one task",
      command: "<%= config.bin %> show example/logger maps --pid 1000",
    },
    {
      description: "all fields of one record",
      command: "<%= config.bin %> show example/logger record 'files.img[3]'",
    },
    {
      description: "open files as JSON",
      command: "<%= config.bin %> show example/logger files --json",
    },
  ];
  /** By view, since the keys differ; times are in nanoseconds, sizes and offsets in bytes. */
  static override json = {
    view: "name of the view, or summary",
    damage:
      "list of {code, file, offset, path, message}: parts that could not be read, without which the view is; absent if there are none",
    "(summary)":
      "holds image, container, program, checkpoint, memory, tasks, files, sockets, locks, special, rights: {owner, asked: rights beyond those of its owner}, if any, problems",
    "(tree)": "holds tasks: {pid, ppid, pgid, sid, depth, comm, state, threads}; notes",
    "(fds)":
      "holds tasks: {pid, comm, table, cwd, root, descriptors: {fd, type, id, closeOnExec, flags, position, file}}",
    "(files)":
      "holds files: {id, type, file, flags, flagBits, position, size, buildId, mode, owner, state, descriptors, uses: {pid, as}, record}",
    "(maps)":
      "holds tasks: {pid, comm, exe, mapped, mappings: {start, end, size, permissions, kind, offset, name, file}}",
    "(rss)":
      "holds pageSize; tasks: {pid, comm, stored, inParent, lazy, mappings: as in maps, with stored, inParent, lazy, runs}",
    "(locks)":
      "holds locks: {kind, type, breaking, previous, remaining, pid, comm, fd, owner, start, end, file}; remaining is the time left of a breaking lease, in nanoseconds",
    "(sockets)":
      "holds sockets: {id, inode, family, type, protocol, state, local, remote, descriptors, backlog, options, peer, queues}",
    "(pipes)": "holds pipes: {kind, id, bytes, capacity, readers: {pids, fd}, writers: {pids, fd}}",
    "(mounts)":
      "holds mounts: {namespace, id, parent, mountpoint, root, fileSystem, source, flags, options, shared, master}; note: why it is empty",
    "(ns)": "holds namespaces: {kind, id, dumped, pids}",
    "(creds)":
      "holds tasks: {pid, comm, threads: {tid, comm, uids, gids, groups, capability sets, securebits, noNewPrivs, seccomp}}",
    "(signals)":
      "holds tasks: {pid, comm, actions: {signal, name, action, flags, mask}, pending, threads: {tid, blocked, pending}}",
    "(timers)": "holds timers: {pid, comm, kind, id, clock, armed, left, interval, signal, missed}",
    "(rlimits)": "holds tasks: {pid, comm, limits: {name, soft, hard, unit}}",
    "(cgroups)":
      "holds sets: {id, outside, tids, members}; directories: {controllers, path, mode, uid, gid, properties}",
    "(ghosts)":
      "holds files: {method, path, keptIn, contents: {record, offset}, id, descriptors, uses, mode, uid, gid, size, stored}",
    "(ipc)": "holds namespaces: {id, limits, segments, queues, semaphores}; note: why it is empty",
    "(env)": "holds tasks: {pid, comm, argv, environment, problems}",
    "(container)":
      "holds container: {form, title, path, name, id, image, engine, runtime, criuVersion, host, pod, created, checkpointed, restored, addresses, ports, command, rootChanges, volumes, hostname, cwd, user, mounts, stdio, cgroup, criuConfig, annotations}; or note: why there is none. The summary of an image in an archive has the same without the last eight",
    "(rootfs)":
      "holds changes: {change: changed, deleted or replaced, path, type, size, mode, uid, gid, modified, target}; note: why it is empty or not whole",
    "(volumes)":
      "holds volumes: {kept: archive or host, name, destination, source, files, bytes}; note: why it is empty",
    "(pod)":
      "holds pod: {name, namespace, id, uid, hostname, labels, version, runtime, containers: {path, name, id, image, sha256}}; or note: why there is none",
    "(record)":
      "holds image, kind, about; records: {index, message, offset, size, fields: {path, value, doc}}",
  };
  static override many = manyImages(["shown", "without what was asked for", "failed"], firstView);
  static override args = {
    IMG: imagesArg,
    VIEW: choice("what to show [default: a summary]", VIEW_NAMES),
    RECORD: positional("for the view record: an image (core-1000.img) or one record (files.img[3])"),
  };
  static override flags = {
    ...MANY_FLAGS,
    pid: pidFlag,
    runs: boolean({ description: "with rss: list every run of pages" }),
    threads: boolean({ char: "t", description: "with tree: list threads too" }),
  };

  async run(): Promise<Answer> {
    const { VIEW: view, RECORD: record } = this.args;
    this.#refuseFlags(view);
    if (record !== undefined && view !== RECORD)
      throw new UsageError(`unexpected argument: ${record} (only the view record takes one)`);
    const document = openDocument(this.image, this.looking);
    const look = { style: this.style, width: terminalWidth() };
    if (view === undefined) return this.#summary(document);
    if (view === RECORD) {
      if (record === undefined)
        throw new UsageError(
          "missing RECORD: name an image or a record, such as pstree.img or 'files.img[3]'",
        );
      const answer = recordView(document, record);
      if (this.flags.json) this.printJson(answer);
      else this.printLines(recordLines(answer, look));
      return EXIT.ok;
    }
    const { pid: pids, runs, threads } = this.flags;
    const { answer, damage } = lookAt([document], (read) => VIEWS[view](read, { pids, runs, threads }));
    if (this.flags.json) this.printJson({ ...answer, ...damageJson(damage) });
    else this.printLines(viewLines(view, answer, look));
    return this.withDamage(damage, EXIT.ok);
  }

  /** What can be read of a damaged image is shown; the exit status reports the damage. */
  #summary(document: Document): Answer {
    const answer = summaryView(document, {
      owner: lookedAtOwner(document),
      firstEdit: document.family === "criu" ? firstEdit(document.set.fileSet) : undefined,
    });
    if (this.flags.json) this.printJson(answer);
    else this.printLines(summaryLines(answer, { style: this.style, width: terminalWidth() }));
    for (const problem of answer.problems) this.warn(problem);
    if (answer.problems.length > 0) process.exitCode = EXIT.trouble;
    return EXIT.ok;
  }

  /** A flag without effect in this view would look as if it had one. */
  #refuseFlags(view: (typeof VIEW_NAMES)[number] | undefined): void {
    const { pid, runs, threads } = this.flags;
    const where = view === undefined ? "the summary" : `the view ${view}`;
    if (pid !== undefined && (view === undefined || OF_ALL_TASKS.has(view)))
      throw new UsageError(`-p does not apply to ${where}, which covers all tasks`);
    if (runs && view !== "rss") throw new UsageError(`--runs does not apply to ${where}, only to rss`);
    if (threads && view !== "tree")
      throw new UsageError(`--threads does not apply to ${where}, only to tree`);
  }

  /** oclif only lists the views; suggests the nearest one instead. */
  protected override async catch(error: unknown): Promise<void> {
    const typed = /^Expected (\S+) to be one of: tree,/.exec((error as Error).message)?.[1];
    const meant = typed === undefined ? undefined : nearest(typed, VIEW_NAMES);
    const advice =
      meant === undefined
        ? ` (expected ${VIEW_NAMES.join(", ")})`
        : `; did you mean ${JSON.stringify(meant)}?`;
    const problem = typed === undefined ? undefined : `unknown view ${JSON.stringify(typed)}${advice}`;
    await super.catch(problem === undefined ? error : new UsageError(problem));
  }
}
