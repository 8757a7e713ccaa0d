import * as assert from "uvu/assert";
import { IMAGES } from "../../../src/formats/criu/images.js";
import { SetBuilder } from "../../helpers/build-set.js";
import { suite } from "../../helpers/suite.js";

const test = suite("model: sets before criu 3.4");

const FOWN = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

/** One file id in two types: legal when every type has an image of its own. */
function oldSet(): SetBuilder {
  return new SetBuilder()
    .image(IMAGES.INVENTORY, undefined, [{ img_version: 2, fdinfo_per_id: true, ns_per_id: true } as never])
    .image(IMAGES.PSTREE, undefined, [{ pid: 7, ppid: 0, pgid: 7, sid: 7, threads: [7] }])
    .image(IMAGES.CORE, 7, [
      {
        mtype: 1,
        tc: {
          task_state: 1,
          exit_code: 0,
          personality: 0,
          flags: 0,
          blk_sigset: 0n,
          comm: "old",
          sigactions: [],
        },
      } as never,
    ])
    .image(IMAGES.IDS, 7, [{ vm_id: 1, files_id: 1, fs_id: 1, sighand_id: 1 }])
    .image(IMAGES.FDINFO, 1, [
      { id: 1, flags: 0, type: 1, fd: 0 },
      { id: 1, flags: 1, type: 2, fd: 1 },
    ])
    .image(IMAGES.REG_FILES, undefined, [
      { id: 1, flags: 2, pos: 5n, fown: FOWN, name: "/etc/motd", build_id: [] },
    ])
    .image(IMAGES.PIPES, undefined, [{ id: 1, pipe_id: 99, flags: 1, fown: FOWN }])
    .image(IMAGES.ITIMERS, 7, [
      { isec: 0n, iusec: 0n, vsec: 3n, vusec: 500_000n },
      { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n },
      { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n },
    ]);
}

test("descriptors find their file by type and id", () => {
  const [task] = oldSet().document().checkpoint.tasks;
  const files = task?.descriptors?.descriptors.map(({ fd, closeOnExec, file }) => [
    fd,
    closeOnExec,
    file?.type,
    file?.label,
  ]);
  assert.equal(files, [
    [0, false, "REG", "/etc/motd"],
    [1, true, "PIPE", "pipe:[99]"],
  ]);
});

test("timers come from their own image, in nanoseconds", () => {
  const [task] = oldSet().document().checkpoint.tasks;
  assert.equal(
    task?.timers.map(({ kind, left }) => [kind, left]),
    [
      ["real", 3_500_000_000n],
      ["virtual", 0n],
      ["prof", 0n],
    ],
  );
});

test("a task without images is no crash", () => {
  const set = new SetBuilder().image(IMAGES.PSTREE, undefined, [
    { pid: 9, ppid: 0, pgid: 9, sid: 9, threads: [9] },
  ]);
  const [task] = set.document().checkpoint.tasks;
  assert.is(task?.state, "unknown");
  assert.is(task?.comm, "");
  assert.equal(task?.mappings, []);
  assert.is(task?.descriptors, undefined);
  assert.equal(
    task?.threads.map(({ tid, credentials, registers }) => [tid, credentials, registers.size]),
    [[9, undefined, 0]],
  );
});

test.run();
