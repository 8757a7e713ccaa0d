import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { shellQuote } from "../../../../src/io/shell.js";
import { FileSource, MemorySource } from "../../../../src/io/source.js";
import { openDocument } from "../../../../src/open.js";
import { CAUSES, explainLog } from "../../../../src/ops/explain/explain.js";
import { suite } from "../../../helpers/suite.js";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures", import.meta.url));

/** What each log of fixtures/logs is the log of. */
const EXPECTED: Readonly<Record<string, string>> = {
  "dump-ghost-limit": "GHOST_LIMIT",
  "dump-iptables": "NETWORK_LOCK",
  "dump-link-remap": "LINK_REMAP_OPTION",
  "dump-locks": "LOCKS",
  "dump-no-task": "TASK_MISSING",
  "dump-shell-job": "SESSION_OUTSIDE",
  "dump-tcp-established": "TCP_ESTABLISHED",
  "dump-traced": "TASK_TRACED",
  "dump-tty": "TERMINAL_OUTSIDE",
  "dump-unix-external": "UNIX_PEER_OUTSIDE",
  "dump-unix-pair": "UNIX_PEER_OUTSIDE",
  "dump-unsupported": "DESCRIPTOR_UNSUPPORTED",
  "restore-address-gone": "ADDRESS_MISSING",
  "restore-bad-magic": "IMAGE_MAGIC",
  "restore-build-id": "FILE_BUILD_ID",
  "restore-cpu": "CPU_FEATURES",
  "restore-cwd-missing": "FILE_MISSING",
  "restore-file-missing": "FILE_MISSING",
  "restore-file-mode": "FILE_MODE",
  "restore-file-shrunk": "FILE_SIZE",
  "restore-file-size": "FILE_SIZE",
  "restore-file-type": "FILE_SIZE",
  "restore-garbage": "IMAGE_GARBAGE",
  "restore-link-remap-gone": "LINK_REMAP",
  "restore-lock-held": "LOCK_TAKEN",
  "restore-lsm": "LSM_TYPE",
  "restore-no-core": "IMAGE_MISSING",
  "restore-no-files": "TASK_DIED",
  "restore-no-pages": "PAGES_MISSING",
  "restore-not-root": "NOT_ROOT",
  "restore-pid-taken": "PID_TAKEN",
  "restore-port-taken": "PORT_TAKEN",
  "restore-program-missing": "FILE_MISSING",
  "restore-tcp-close": "TCP_CLOSE",
  "restore-tcp-established": "TCP_ESTABLISHED",
  "restore-truncated": "IMAGE_TRUNCATED",
  "restore-tty-session": "TERMINAL_OUTSIDE",
  "restore-unix-gone": "UNIX_PEER_GONE",
  "restore-vdso": "CRIU_TOO_OLD",
};

/** Lines of criu's sources for the causes that no log of fixtures/logs shows. */
const LINES: readonly [string, string][] = [
  ["FILE_DENIED", "Error (criu/files-reg.c:2267): Can't open file root/x: Permission denied"],
  ["MOUNT_UNKNOWN", "Error (criu/files-reg.c:1790): Can't lookup mount=27 for fd=3 path=/tmp/x"],
  [
    "FILE_OVERMOUNTED",
    "Error (criu/files-reg.c:1799): Open files on overmounted mounts are not supported yet; mount=3 fd=4 path=/mnt/x",
  ],
  ["DESCRIPTOR", "  7: Error (criu/files.c:1221): Unable to open fd=9 id=0x4d"],
  ["DIRECTORY", "  7: Error (criu/files.c:1399): Can't open cwd"],
  ["TCP_IN_FLIGHT", "Error (criu/sk-inet.c:186): inet: In-flight connection (l) for 3f"],
  ["TCP_CONNECT", "Error (criu/sk-inet.c:1082): inet: Can't connect inet socket back: Invalid argument"],
  [
    "UNIX_PEER_OUTSIDE",
    "Error (criu/sk-unix.c:1912): unix: External socket found in image. Consider using the --ext-unix-sk",
  ],
  [
    "UNIX_PEER_OUTSIDE",
    "Error (criu/sk-unix.c:881): unix: Can't dump half of stream unix connection. name: /x; peer name: ",
  ],
  [
    "UNIX_PATH",
    "Error (criu/sk-unix.c:1684): unix: Can't bind id 0x9 ino 77 addr /run/x/sock: No such file or directory",
  ],
  ["SOCKET_OPTION", "Error (criu/sockets.c:559): Can't get 1:16 opt: Operation not supported"],
  ["SOCKET_UNSUPPORTED", "Error (criu/sk-inet.c:150): inet: Unsupported proto 262 for socket 5"],
  [
    "NEEDS_PID_NAMESPACE",
    "Error (criu/cr-restore.c:2035): This process tree can only be restored in a new pid namespace.",
  ],
  ["PID_MAX", "Error (criu/pstree.c:1100): Can't set kernel pid_max=4194304: Operation not permitted"],
  [
    "SESSION_OUTSIDE",
    "Error (criu/cr-dump.c:1528): A session leader of 1000(1000) is outside of its pid namespace",
  ],
  ["SESSION_OUTSIDE", "Error (criu/tty.c:1500): tty: No task found with sid 812"],
  ["SESSION_MIXED", "Error (criu/pstree.c:400): Current sid 812 intersects with pid (4) in images"],
  [
    "TERMINAL_OUTSIDE",
    "Error (criu/tty.c:1900): tty: Found dangling tty with sid 5 pgid 5 (/dev/pts/3) on peer fd 0.",
  ],
  ["FREEZE_TIMEOUT", "Error (criu/cr-dump.c:1800): Timeout reached. Try to interrupt: 0"],
  ["LOCK_TAKEN", "  7: Error (criu/file-lock.c:620): Can not set flock!"],
  ["CPU_IMAGE", "Error (criu/arch/x86/cpu.c:330): cpu: Image carries 12 words while 19 expected"],
  ["LSM_PROFILE", "  7: Error (criu/lsm.c:400): can't write lsm profile -13"],
  ["PLUGIN_MISSING", "Error (criu/image.c:130): Missing required plugin: amdgpu_plugin"],
  ["UPROBES", "Error (criu/image.c:100): Dumped with --allow-uprobes. Need to set it on restore as well."],
  ["CGROUP", "Error (criu/cgroup.c:1600): cg: Cgroup dir /sys/fs/cgroup/x doesn't exist"],
  ["MOUNT_EXTERNAL", "Error (criu/mount.c:3141): mnt: No mapping for 33:(null) mountpoint"],
  ["MOUNT_EXTERNAL", "  1: Error (criu/mount.c:2830): mnt: No mapping for /proc/keys mountpoint"],
  [
    "MOUNT_REFUSED",
    "  1: Error (criu/mount-v2.c:319): mnt-v2: Failed to open_tree /a: Operation not permitted",
  ],
  ["MOUNT_REFUSED", "  1: Error (criu/mount.c:1500): mnt: Can't do a bind mount: Permission denied"],
  ["MOUNT", "  1: Error (criu/mount.c:2236): mnt: Unable to mount tmpfs /x (id=3): No such device"],
  ["NAMESPACE_EXTERNAL", "  1: Error (criu/net.c:2838): Unable to find an external netns: extRootNetNS"],
  ["GHOST_LINK", "  1: Error (criu/files-reg.c:1189): Can't link tmp/x.cr.2.ghost -> tmp/x: File exists"],
  ["GHOST_CREATE", "  1: Error (criu/files-reg.c:467): Can't make ghost dir: Read-only file system"],
  ["GHOST_CREATE", "  1: Error (criu/files-reg.c:467): Can't create ghost symlink: Permission denied"],
  [
    "VDSO",
    "pie: 7: Error (criu/pie/parasite-vdso.c:309): vDSO isn't provided by kernel, but exists in images",
  ],
  ["VDSO", "pie: 7: Error (criu/pie/restorer.c:1498): Task had vdso, restorer doesn't"],
  ["VDSO", "Error (criu/vdso.c:564): vdso: Kdat sizes of vdso/vvar differ to maps file "],
  [
    "USERFAULTFD",
    "  7: Error (criu/uffd.c:314): uffd: Unable to open an userfaultfd descriptor: Operation not permitted",
  ],
  ["USERFAULTFD", "pie: 7: Error (criu/pie/restorer.c:1093): lazy-pages: register 7f00 failed: rc:-22, "],
  ["LAZY_PAGES", "Error (criu/uffd.c:349): uffd: connect to lazy-pages.socket failed: Connection refused"],
  ["LAZY_PAGES", "Error (criu/uffd.c:1361): uffd: Restorer unexpectedly closed the connection"],
  ["MACHINE", "  7: Error (criu/cr-restore.c:854): Core march mismatch 3"],
  ["CPUSET", "Error (criu/cgroup.c:1499): cg: Failed writing 0-7 to cpuset/a/cpuset.cpus: Permission denied"],
  ["CGROUP", "Error (criu/cgroup.c:1805): cg: Can't make cgroup dir unified/a: Permission denied"],
  [
    "CGROUP",
    "Error (criu/cgroup.c:1490): cg: Failed writing 5 to memory/a/memory.swappiness: Invalid argument",
  ],
  ["CAPABILITIES", "pie: 7: Error (criu/pie/restorer.c:317): Unable to drop capability 21: -1"],
  ["CAPABILITIES", "pie: 7: Error (criu/pie/restorer.c:226): Can't setgroups([1 gids]): -1"],
  [
    "TERMINAL_DENIED",
    "  7: Error (criu/tty.c:890): tty: Can't setup uid 0 gid 5 on 0x7: Operation not permitted",
  ],
  ["TERMINAL_DENIED", "  7: Error (criu/tty.c:600): tty: Can't open /dev/ptmx"],
  ["LSM_PROFILE", "pie: 7: Error (criu/pie/restorer.c:196): can't write lsm profile -2"],
  [
    "DIRTY_TRACKING",
    "Error (criu/config.c:1130): Tracking memory is not available. Consider omitting --track-mem option.",
  ],
  ["IMAGE_ENDS", "Error (criu/protobuf.c:72): Unexpected EOF on (null)"],
  ["IMAGE_ENDS", "  7: Error (criu/image.c:887): Unexpected EOF"],
  ["PARENT_MISSING", "Error (criu/page-xfer.c:299): page-xfer: Missing 7f0000001000 in parent pagemap"],
  ["NO_SPACE", "Error (criu/image.c:845): Can't write img file: No space left on device"],
  ["LIMIT", "  7: Error (criu/cr-restore.c:1230): Can't fork for 9: Resource temporarily unavailable"],
  [
    "LIMIT",
    "  7: Error (criu/util.c:244): Dup 5 -> 70000 failed (called at criu/files.c:9): Bad file descriptor",
  ],
  [
    "NO_MEMORY",
    "  7: Error (criu/mem.c:1363): Unable to reserve memory (4096 bytes): Cannot allocate memory",
  ],
  ["RUNTIME_OF_ANOTHER", "open /c/descriptors.json: no such file or directory\n(00.01) Restoring FAILED."],
  ["RUNTIME_LOG", "criu failed: type NOTIFY errno 0\nlog file: /run/c1/restore.log"],
  [
    "TIME_NAMESPACE",
    "Error (criu/timens.c:110): timens: Unable to create a new time namespace: Operation not permitted",
  ],
  [
    "DIRTY_TRACKING",
    "Error (criu/mem.c:386): Pid-reuse detection failed: no parent inventory, check warnings in get_parent_inventory",
  ],
  ["IMAGE_VERSION", "Error (criu/image.c:70): Not supported images version 3"],
  ["PARENT_MISSING", "Error (criu/pagemap.c:200): No parent for snapshot pagemap"],
  ["FILE_TABLE", "  7: Error (criu/files.c:880): No file for fd 4 id 0x5"],
];

const test = suite("explain");

function ofText(text: string) {
  return explainLog(new MemorySource(Buffer.from(text), "log"));
}

test("every real log is explained by its cause", () => {
  const found = new Map<string, string | undefined>();
  for (const file of readdirSync(`${FIXTURES}/logs`).sort()) {
    const { failure, action } = explainLog(new FileSource(`${FIXTURES}/logs/${file}`));
    const name = file.replace(/\.txt$/, "");
    found.set(name, failure?.id);
    if (action !== "unknown") assert.is(action, name.split("-")[0], name);
  }
  assert.equal(Object.fromEntries(found), EXPECTED);
});

test("every cause is reached by a real log or by a line of criu's", () => {
  for (const [id, line] of LINES) assert.is(ofText(line).failure?.id, id, line);
  const reached = new Set([...Object.values(EXPECTED), ...LINES.map(([id]) => id)]);
  assert.equal(
    CAUSES.map(({ id }) => id).filter((id) => !reached.has(id)),
    [],
  );
});

test("every place-holder of a cause is a group of its pattern or a fact of the run", () => {
  for (const { id, match, what, mends } of CAUSES) {
    const texts = [what, ...mends.flatMap(({ command = "", edit = "", effect }) => [command, edit, effect])];
    for (const [, name] of texts.join(" ").matchAll(/\{(\w+)\}/g))
      assert.ok(
        match.source.includes(`(?<${name}>`) ||
          ["fd", "image", "pid", "restore", "root", "unlabel"].includes(name as string),
        `${id}: {${name}}`,
      );
  }
});

test("the ids of a log become descriptors and paths of the set", () => {
  const document = openDocument(`${FIXTURES}/criu/logger`);
  const { failure, criuVersion, kernel } = explainLog(
    new FileSource(`${FIXTURES}/logs/restore-file-size.txt`),
    document,
  );
  assert.is(criuVersion, "4.2.1");
  assert.match(kernel ?? "", /^\d+\.\d+/);
  assert.equal(failure?.objects, [
    {
      pid: 1000,
      comm: "logger",
      use: "fd 4",
      file: "/var/lib/crimg-demo/logger/etc/logger.conf",
      how: "read-only, offset 17",
    },
  ]);
  assert.is(
    failure?.mends[0]?.command,
    `crimg edit ${shellQuote(`${FIXTURES}/criu/logger`)} --accept-file /var/lib/crimg-demo/logger/etc/logger.conf -o NEWDIR`,
  );
  document.close();
});

test("a file id alone leads to the descriptor, a program and a working directory to their task", () => {
  const document = openDocument(`${FIXTURES}/criu/logger`);
  const uses = (log: string): (string | undefined)[] =>
    explainLog(new MemorySource(Buffer.from(log), "log"), document).failure?.objects.map(({ use }) => use) ??
    [];
  assert.equal(uses("  1000: Error (criu/files.c:1221): Unable to open fd=5 id=0x6\n"), ["fd 5"]);
  assert.equal(uses(readFileSync(`${FIXTURES}/logs/restore-cwd-missing.txt`, "utf8")), ["cwd"]);
  assert.equal(uses(readFileSync(`${FIXTURES}/logs/restore-program-missing.txt`, "utf8")), ["program"]);
  document.close();
});

test("rolling back is advised only for a file that has grown", () => {
  const commands = (name: string) =>
    explainLog(new FileSource(`${FIXTURES}/logs/${name}.txt`)).failure?.mends.map(
      ({ command }) => command?.split(" ")[0],
    );
  assert.equal(commands("restore-file-size"), ["crimg", "truncate"]);
  assert.equal(commands("restore-file-shrunk"), ["crimg"]);
});

test("within a restore the mending command is that restore with more words", () => {
  const document = openDocument(`${FIXTURES}/criu/logger`);
  const { failure } = explainLog(new FileSource(`${FIXTURES}/logs/restore-file-size.txt`), document, [
    "--remap-path",
    "/a b=/c",
  ]);
  assert.is(
    failure?.mends[0]?.command,
    `crimg restore ${shellQuote(`${FIXTURES}/criu/logger`)} --remap-path '/a b=/c' --accept-file /var/lib/crimg-demo/logger/etc/logger.conf`,
  );
  document.close();
});

test("commands quote what the log says", () => {
  const { failure } = ofText("Error (criu/files-reg.c:1): File srv/a b; reboot has bad size 5 (expect 4)\n");
  assert.is(failure?.mends[1]?.command, "truncate -s 4 '/srv/a b; reboot'");
});

/** How people have logs: a line as one of these begins and ends it. */
const WRAPPINGS: Readonly<Record<string, (line: string) => string>> = {
  journald: (line) => `Nov 30 07:00:01 node-1 crio[812]: ${line}`,
  "journald -o short-iso": (line) => `2026-11-30T07:00:01+00:00 node-1 runc[9]: ${line}`,
  kubelet: (line) => `2026-11-30T07:00:01.123456789Z stderr F ${line}`,
  docker: (line) => JSON.stringify({ log: `${line}\n`, stream: "stderr", time: "2026-11-30T07:00:01Z" }),
  logrus: (line) => `time="2026-11-30T07:00:01Z" level=error msg=${JSON.stringify(line)} id="c1"`,
  klog: (line) => `E1130 07:00:01.000000     812 criu.go:10] ${line}`,
  "CI step": (line) => `12:07:01: ${line}`,
  quoted: (line) => `> ${line}`,
  "quoted twice": (line) => ` > > ${line}`,
  coloured: (line) => `\x1b[31m${line}\x1b[0m`,
  "coloured, as journald shows it": (line) => `#033[1;31m${line}#033[0m`,
};

test("a log is explained in every wrapping as it is without", () => {
  for (const name of ["restore-file-size", "restore-pid-taken", "dump-ghost-limit", "restore-vdso"]) {
    const log = readFileSync(`${FIXTURES}/logs/${name}.txt`, "utf8").trimEnd();
    const { failure: plain, outcome } = ofText(log);
    for (const [wrapping, wrap] of Object.entries(WRAPPINGS)) {
      const wrapped = ofText(log.split("\n").map(wrap).join("\n"));
      assert.equal(wrapped.failure, plain, `${name}, ${wrapping}`);
      assert.is(wrapped.outcome, outcome, `${name}, ${wrapping}`);
    }
  }
});

test("errors of criu inside the one message of a runtime are found", () => {
  const { failure } = ofText(
    `Error: runc: criu failed: "(00.02)      1: Error (criu/files-reg.c:2175): File usr/a\\"b has bad size 2 (expect 1)\\n(00.03) Error (criu/cr-restore.c:2324): Restoring FAILED.\\n": exit status 1\n`,
  );
  assert.is(failure?.what, 'size of /usr/a"b is 2 bytes (expected 1, as at the checkpoint)');
});

test("a message of a runtime leads to criu's log", () => {
  const messages: readonly [string, string][] = [
    ["criu failed: type NOTIFY errno 0\nlog file: /run/c/restore.log\n", "/run/c/restore.log"],
    [
      "Error: OCI runtime error: crun: CRIU restoring failed -1.  Please check CRIU logfile /v/restore.log\n",
      "/v/restore.log",
    ],
    ['time="x" level=error msg="criu failed: type NOTIFY errno 0\\nlog file: /run/d.log"\n', "/run/d.log"],
    [
      "Cannot checkpoint container c: runc did not terminate successfully: criu failed path= /run/c/criu-dump.log: unknown\n",
      "/run/c/criu-dump.log",
    ],
    [
      "Error: `/usr/bin/runc checkpoint --image-path /v/c --work-path /v/w c1` failed: exit status 1\n",
      "/v/w/dump.log",
    ],
    ["Error: `/usr/bin/crun restore --work-path /v/w c1` failed: exit status 1\n", "/v/w/restore.log"],
  ];
  for (const [message, log] of messages) {
    const { failure } = ofText(message);
    assert.is(failure?.id, "RUNTIME_LOG", message);
    assert.is(failure?.mends[0]?.command, `crimg explain ${log}`, message);
  }
});

test("a log that is cut at either end is explained by what is left", () => {
  const line =
    "(00.020001)      1: Error (criu/files-reg.c:2117): File usr/bin/app has bad size 10 (expect 9)\n";
  const end = "(00.020201) Error (criu/cr-restore.c:2324): Restoring FAILED.\n";
  for (let cut = 0; cut <= line.indexOf(".c:2117"); cut++)
    assert.is(ofText(line.slice(cut) + end).failure?.id, "FILE_SIZE", line.slice(cut));
  assert.is(ofText(line).failure?.id, "FILE_SIZE");
  const { failure, likely } = ofText(line.slice(0, line.indexOf(" size")));
  assert.is(failure, undefined);
  assert.is(likely?.line.text, "File usr/bin/app has bad");
});

test("an unknown error is the likely cause, in front of the consequences that are known", () => {
  const { failure, likely } = ofText(
    [
      "(00.01)      1: Error (criu/x.c:1): cannot tune the frobnicator: Invalid argument",
      "(00.02)      1: Error (criu/files.c:1105): Unable to open fd=0 id=0x3",
      "(00.03) Error (criu/cr-restore.c:1024): 18400 killed by signal 9: Killed",
      "(00.04) Error (criu/cr-restore.c:2324): Restoring FAILED.",
    ].join("\n"),
  );
  assert.is(failure, undefined);
  assert.is(likely?.line.text, "cannot tune the frobnicator: Invalid argument");
  assert.is(likely?.consequence?.id, "DESCRIPTOR");
});

test("a known cause is found behind an unknown error, and in front of a warning with a known cause", () => {
  const known =
    "(00.03)      1: Error (criu/files-reg.c:2267): Can't open file a/b: No such file or directory";
  for (const before of [
    "(00.01)      1: Error (criu/x.c:1): cannot tune the frobnicator",
    "(00.01)      1: Warn  (criu/x.c:1): mnt: Unable to mount /x: No such device",
  ])
    assert.is(ofText(`${before}\n${known}\n`).failure?.id, "FILE_MISSING", before);
});

test("a task that was killed is not taken for a damaged set", () => {
  const why = (text: string) => ofText(`Error (criu/cr-restore.c:1262): ${text}\n`).failure?.why ?? "";
  assert.match(why("7 killed by signal 9: Killed"), /criu kills the tasks when a step fails/);
  assert.match(why("7 killed by signal 11: Segmentation fault"), /a crash can come of/);
  assert.match(why("7 exited, status=1"), /the log does not show/);
});

test("the log of a good dump at the default verbosity does not tell the outcome", () => {
  for (const log of ["", "(00.01) Warn  (criu/kerndat.c:1): Can't load /run/criu.kdat\n"]) {
    const { outcome, failure, likely } = ofText(log);
    assert.equal([outcome, failure, likely], ["unknown", undefined, undefined]);
  }
  assert.is(ofText("(00.01) Dumping path for -1 fd\n").outcome, "unfinished");
});

test("security labels are dropped from every thread of the set", () => {
  const line = "(00.01) 47748: Error (criu/lsm.c:360): mismatched lsm types and lsm profile specified\n";
  assert.is(
    ofText(line).failure?.mends.at(-1)?.command,
    "crimg edit IMG --set 'core-47748.img[0].thread_core.creds.lsm_profile=absent' -o NEWDIR",
  );
});

test("an unknown failure has its lines, without criu's own noise", () => {
  const { failure, likely, outcome, lines } = ofText(
    [
      "(00.01) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted",
      "(00.02) Warn  (criu/x.c:1): a warning",
      "(00.03) progress",
      "(00.04)     7: Error (criu/x.c:2): the moon is in the wrong phase",
      "(00.05) Error (criu/cr-restore.c:2331): Restoring FAILED.",
    ].join("\n"),
  );
  assert.is(failure, undefined);
  assert.is(likely?.line.number, 4);
  assert.is(outcome, "failed");
  assert.equal(
    lines.map(({ number, pid, place, text }) => [number, pid, place, text]),
    [[4, 7, "criu/x.c:2", "the moon is in the wrong phase"]],
  );
});

test("a log of success is not taken for a failure, whatever errors criu got over", () => {
  const { failure, outcome } = ofText(
    "(00.01) Error (criu/tty.c:410): tty: Found slave peer index 0 without correspond master peer\n" +
      "(00.02) Restore finished successfully. Tasks resumed.\n",
  );
  assert.is(outcome, "succeeded");
  assert.is(failure, undefined);
});

test("what is no log of criu is an error", () => {
  for (const text of ["hello\n", "\0\x01\xff"]) assert.throws(() => ofText(text), /log: not a log of criu/);
});

test("a long log takes little time and memory", () => {
  const noise = "(00.000001)   7: Error (criu/x.c:2): again and again\n".repeat(200_000);
  const last = "Error (criu/cr-restore.c:1237): Can't fork for 7: File exists\n";
  const started = process.cpuUsage();
  assert.ok(ofText(noise + last).lines.length <= 500);
  assert.ok(ofText(`${"x".repeat(30_000_000)}\n${last}`).failure?.id === "PID_TAKEN");
  const { user } = process.cpuUsage(started);
  assert.ok(user < 5e6, `${user} µs`);
});

test.run();
