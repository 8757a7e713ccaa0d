import { R } from "../damaged-stream.js";
import { bytesOf, words } from "./bytes.js";
import { damage, type StreamCase } from "./case.js";

const SIGNED = 1n << 63n;

/** Framing, names, the head and the ids of tasks. */
export const frameCases: readonly StreamCase[] = [
  damage(
    "STREAM_FAILED",
    "rich",
    (s) =>
      s
        .insert(s.find(R.TASK, 1), R.ERROR)
        .insert(s.find(R.TASK, 1), R.STRING, {}, bytesOf("\0[err -16] busy\0")),
    ["STREAM_SALVAGED"],
    "an ERROR between two tasks",
  ),
  damage("STREAM_END", "rich", (s) => s.drop(s.find(R.TAIL)), ["STREAM_SALVAGED"], "no TAIL"),
  damage("STREAM_END", "threads", (s) => s.cut(s.bytes.length - 5), ["STREAM_SALVAGED"], "half a TAIL"),
  damage(
    "STREAM_END",
    "threads",
    (s) => s.cut(s.image.range(s.find(R.TASK, 2)).offset + 20),
    ["STREAM_SALVAGED"],
    "cut in the third task",
  ),
  damage(
    "STREAM_ORDER",
    "logger",
    (s) => s.drop(s.find(R.FILE_DESC)),
    ["STREAM_SALVAGED"],
    "a descriptor is missing",
  ),
  damage("STREAM_TAIL", "rich", (s) => s.set(R.TAIL, { magic: 1n })),
  damage("STREAM_TRAILING", "rich", (s) => s.raw(s.image.length, bytesOf("more"))),
  damage(
    "RECORD_UNKNOWN",
    "rich",
    (s) => s.raw(s.find(R.TASK, 1), words(1337, 16, 1, 2)),
    [],
    "of another writer",
  ),
  damage(
    "RECORD_UNKNOWN",
    "locks",
    (s) => s.raw(s.find(R.TASK), words(20_999, 16, 1, 2)),
    [],
    "of a newer crimg",
  ),
  damage("RECORD_LENGTH", "rich", (s) => s.payload(s.find(R.TASK_NS), Buffer.alloc(8)), ["STREAM_REVISION"]),
  damage("STREAM_REVISION", "rich", (s) => s.set(R.HEADER, { rev: 3 }), []),

  damage("NAME_END", "rich", (s) => s.poke(s.find(R.FILE_NAME), 3, Buffer.alloc(1)), [], "a NUL inside"),
  damage("NAME_END", "rich", (s) => s.payload(s.find(R.FILE_NAME), bytesOf("/no/nul")), [], "no NUL"),
  damage("FILE_PATH", "rich", (s) => s.payload(s.find(R.FILE_NAME), bytesOf("relative\0"))),
  damage("FILE_PATH_PARENT", "rich", (s) => s.payload(s.find(R.FILE_NAME), bytesOf("/a/../b\0"))),
  damage(
    "FILE_PATH_FORM",
    "rich",
    (s) => s.payload(s.find(R.FILE_NAME), bytesOf("/a (deleted)\0")),
    [],
    "the kernel's mark",
  ),
  damage("STRING_END", "rich", (s) => s.poke(s.find(R.STRING), 0, Buffer.alloc(16, 0x61)), ["COMM_LENGTH"]),

  damage("HEADER_MAGIC", "rich", (s) => s.set(R.HEADER, { magic: 1n })),
  damage("HEADER_VERSION", "rich", (s) => s.set(R.HEADER, { arch_id: 3 }), ["STREAM_REVISION"]),
  damage("HEADER_VERSION", "rich", (s) => s.set(R.HEADER, { rev: 9 }), ["STREAM_REVISION"], "rev 9"),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.HEADER, { uflags: 9n }), [], "uflags"),
  damage("HEADER_CONSTANTS", "rich", (s) => s.set(R.HEADER, { constants: { signal_nsig: 32 } })),
  damage("HEADER_TEXTS", "rich", (s) => s.set(R.HEADER, { constants: { uts_release_len: 64 } })),
  damage("LSM_NAME", "rich", (s) => s.poke(s.find(R.CONTAINER) + 1, 0, Buffer.alloc(11, 0x61))),

  damage("PIDS_LENGTH", "rich", (s) => s.set(R.PIDS, { nr_vpids: 4 })),
  damage("PID_DUPLICATE", "rich", (s) => s.poke(s.find(R.PIDS) + 1, 8 + 4, words(1))),
  damage("PID_RANGE", "rich", (s) => s.poke(s.find(R.PIDS) + 1, 24 + 4, words(-5)), [], "below 0"),
  damage(
    "PIDS_NUMBERS",
    "rich",
    (s) => {
      const [, first, ...others] = s.image.numbers(s.find(R.PIDS) + 1);
      return s
        .set(R.PIDS, { nr_vpids: 1 })
        .payload(s.find(R.PIDS) + 1, words(1, first as number, 0, ...others));
    },
    ["TASK_DEPTH"],
  ),
  damage("TASK_TAG", "rich", (s) => s.poke(s.find(R.TREE) + 1, 24 * 3 + 12, words(77)), ["STREAM_DAMAGE"]),
  damage("TASK_TAG", "rich", (s) => s.poke(s.find(R.TREE) + 1, 24 * 3 + 16, words(-9)), [], "no tag"),
  damage(
    "TREE_ROOT",
    "rich",
    (s) => s.poke(s.find(R.TREE) + 1, 4, words(1)),
    ["TREE_CYCLE"],
    "the root has a parent",
  ),
  damage("TREE_ROOT", "tree", (s) => s.poke(s.find(R.TREE) + 1, 24 * 3 + 4, words(0)), [], "a second root"),
  damage("TREE_PARENT", "tree", (s) =>
    s.poke(s.find(R.TREE) + 1, 24 * 3 + 4, words(s.image.value(s.find(R.PIDS), R.PIDS).offset + 5)),
  ),
  damage(
    "THREAD_LEADER",
    "tree",
    (s) => {
      const { nr_tasks: count } = s.image.value(s.find(R.TREE), R.TREE);
      // The group without a leader stands behind the ids of all tasks.
      const group = s.image.value(s.find(R.PIDS), R.PIDS).offset + count;
      return s.poke(s.find(R.TREE) + 1, 24 * (count - 1) + 8, words(group));
    },
    ["TASK_EXIT_SIGNAL"],
  ),
  damage("TASK_DEPTH", "rich", (s) => s.poke(s.find(R.TREE) + 1, 20, words(1))),
  damage("TASK_COUNT", "rich", (s) => s.payload(s.find(R.TREE) + 1, Buffer.alloc(24)), [
    "PID_RANGE",
    "STREAM_DAMAGE",
  ]),
  damage(
    "THREAD_SHARING",
    "threads",
    (s) =>
      s.set(
        R.TASK_OBJS,
        { sighand_objref: s.image.value(s.find(R.TASK_OBJS), R.TASK_OBJS).signal_objref },
        2,
      ),
    ["OBJECT_REFERENCE"],
  ),

  damage("OBJREF_NUMBER", "rich", (s) => s.set(R.OBJREF, { objref: 0 }, 3), [
    "STREAM_ORDER",
    "STREAM_SALVAGED",
    "OBJECT_REFERENCE",
  ]),
  damage("OBJREF_TYPE", "rich", (s) => s.set(R.OBJREF, { objtype: 99 }, 3), [
    "STREAM_ORDER",
    "STREAM_SALVAGED",
    "OBJECT_REFERENCE",
  ]),
  damage("OBJREF_HIDDEN", "rich", (s) =>
    s.set(R.TTY, { file_objref: s.image.value(s.find(R.TASK_OBJS), R.TASK_OBJS).mm_objref }),
  ),
  damage(
    "OBJECT_ROLE",
    "rich",
    (s) =>
      s.set(R.TTY, {
        file_objref: s.image.value(
          s.find(R.FILE, (f) => f.f_type === 2),
          R.FILE,
        ).pipe_objref,
      }),
    [],
  ),
  damage(
    "OBJREF_ORDER",
    "logger",
    (s) => {
      const first = s.image.value(s.find(R.TASK_CREDS), R.TASK_CREDS).cred_ref;
      return s
        .set(R.OBJREF, { objref: 9999 }, (f) => f.objref === first)
        .set(R.TASK_CREDS, { cred_ref: 9999, ecred_ref: 9999 });
    },
    ["OBJECT_REFERENCE"],
  ),
  damage("OBJECT_REFERENCE", "rich", (s) => s.set(R.CRED, { user_ref: 4711 }), [], "nothing"),
  damage(
    "OBJECT_REFERENCE",
    "rich",
    (s) => s.set(R.FILE_DESC, { fd_objref: s.image.value(s.find(R.TASK_OBJS), R.TASK_OBJS).mm_objref }, 1),
    [],
    "another type",
  ),
  damage(
    "OBJECT_REFERENCE",
    "rich",
    (s) => s.poke(s.find(R.EPOLL_ITEMS) + 1, 12, words(4711)),
    [],
    "a watched file",
  ),

  damage("FIELD_VALUE", "rich", (s) => s.set(R.TASK, { flags: 64 }), [], "flags"),
  damage("TASK_ZOMBIE", "rich", (s) => s.set(R.TASK, { exit_code: 256 }), [], "an exit code of a live task"),
  damage("TASK_ZOMBIE", "rich", (s) => s.set(R.TASK, { state: 0 }, -1), [], "a zombie that is not dead"),
  damage("TASK_EXIT_CODE", "rich", (s) => s.set(R.TASK, { exit_code: 0x10b }, -1)),
  damage("TASK_EXIT_SIGNAL", "rich", (s) => s.set(R.TASK, { exit_signal: 65 })),
  damage("TASK_EXIT_SIGNAL", "threads", (s) => s.set(R.TASK, { exit_signal: 17 }, 1), [], "a thread"),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.TASK, { pdeath_signal: 65 }), [], "pdeath_signal"),
  damage("TASK_NAME", "rich", (s) => s.payload(s.find(R.STRING), bytesOf("short\0"))),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.RESTART_BLOCK, { function_type: 8n }), [], "function_type"),
  damage("FIELD_VALUE", "rich", (s) => s.set(R.RESTART_BLOCK, { arg_4: SIGNED }), [], "arg_4"),

  damage("GROUPS_ORDER", "rich", (s) => s.poke(s.find(R.GROUPINFO), 4, words(10))),
  damage("CREDS_CAPABILITIES", "rich", (s) => s.set(R.CRED, { cap_s: { cap_e_0: 4 } })),
  damage(
    "FIELD_VALUE",
    "rich",
    (s) =>
      s
        .insert(s.find(R.CRED), R.OBJREF, { objtype: 20, objref: 500 })
        .insert(s.find(R.CRED), R.SECURITY, { ptrref: 501, sectype: 9 })
        .insert(s.find(R.CRED), R.STRING, {}, bytesOf("label\0")),
    ["OBJREF_ORDER"],
    "sectype",
  ),
  damage(
    "LABEL_LENGTH",
    "rich",
    (s) =>
      s
        .insert(s.find(R.CRED), R.OBJREF, { objtype: 20, objref: 500 })
        .insert(s.find(R.CRED), R.SECURITY, { ptrref: 501, sectype: 4 })
        .insert(s.find(R.CRED), R.STRING, {}, bytesOf(`${"l".repeat(1030)}\0`)),
    ["OBJREF_ORDER"],
  ),
];
