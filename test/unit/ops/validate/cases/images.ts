import { IMAGES } from "../../../../../src/formats/criu/images.js";
import { UTSNS_ENTRY } from "../../../../../src/formats/criu/tables/ns.js";
import { PSTREE_ENTRY } from "../../../../../src/formats/criu/tables/pstree.js";
import { damage } from "../case.js";
import { word } from "../damaged-set.js";

const TREE = "pstree.img";

/** Framing, unknown fields, inventory. */
export const imageCases = [
  damage("IMAGE_MAGIC", "logger", (set) => set.put("fs-1000.img", Buffer.from("not an image"))),
  damage("IMAGE_MAGIC", "logger", (set) => set.put("fs-1000.img", Buffer.alloc(0)), [], "empty file"),
  damage(
    "IMAGE_MAGIC",
    "logger",
    (set) => set.put("fs-1000.img", set.read("fs-1000.img").subarray(0, 6)),
    [],
    "cut header",
  ),
  damage("IMAGE_KIND", "logger", (set) =>
    set.put("tty-info.img", Buffer.concat([word(0x54564319), word(0x50273030)])),
  ),
  damage("IMAGE_TRUNCATED", "logger", (set) =>
    set.put(
      "filelocks.img",
      cut(
        set
          .add(IMAGES.FILE_LOCKS, "filelocks.img", IMAGES.FILE_LOCKS.entries[0].message, LOCK)
          .read("filelocks.img"),
        1,
      ),
    ),
  ),
  damage("IMAGE_GARBAGE", "logger", (set) =>
    set.put("memfd.img", Buffer.concat([word(0x54564319), word(0x48453499), word(2), Buffer.of(0x0a, 0x7f)])),
  ),
  damage(
    "IMAGE_GARBAGE",
    "tree",
    (set) => set.put("memfd.img", Buffer.concat([set.read("memfd.img"), word(0)])),
    [],
    "the other records are read",
  ),
  damage("RECORD_MISSING", "logger", (set) => set.put("seccomp.img", set.read("seccomp.img").subarray(0, 8))),
  damage("RECORD_SURPLUS", "logger", (set) =>
    set.put("seccomp.img", Buffer.concat([set.read("seccomp.img"), word(0)])),
  ),
  damage("BYTE_ORDER", "logger", (set) => set.put("tty-info.img", Buffer.from("5456431959453036", "hex"))),
  damage("ENVELOPE", "logger", (set) => set.put("tty-info.img", word(0x59453036))),
  damage("UNKNOWN_FIELD", "logger", (set) =>
    appendToMessage(set, "fs-1000.img", Buffer.of(0xa0, 0x06, 0x01)),
  ),
  damage("WIRE_TYPE", "logger", (set) => appendToMessage(set, "fs-1000.img", Buffer.of(0x1a, 0x00))),
  damage("UNKNOWN_VALUE", "logger", (set) => set.set("inventory.img[0].lsmtype", 9)),
  damage("NOT_UTF8", "logger", (set) => set.set("core-1000.img[0].tc.comm", "log\udcff")),
  damage("INVENTORY_MISSING", "logger", (set) => set.remove("inventory.img"), []),
  damage("IMAGE_VERSION", "logger", (set) => set.set("inventory.img[0].img_version", 7)),
  damage("INVENTORY_OLD", "logger", (set) => set.set("inventory.img[0].fdinfo_per_id", undefined)),
  damage("INVENTORY_CGROUP", "logger", (set) => set.set("inventory.img[0].root_cg_set", 0), ["CGROUP_SET"]),
  damage("INVENTORY_NET_LOCK", "logger", (set) => set.set("inventory.img[0].network_lock_method", 3)),
];

/** The process tree, images of tasks, shared kernel objects. */
export const treeCases = [
  damage("TREE_MISSING", "logger", (set) => set.remove(TREE)),
  damage("TREE_ROOT", "tree", (set) => set.set("pstree.img[1].ppid", 0)),
  damage("TREE_PARENT", "tree", (set) => set.set("pstree.img[1].ppid", 77)),
  damage("TREE_PARENT", "tree", (set) => set.swap(TREE, 3), [], "behind its child"),
  damage("TREE_CYCLE", "tree", (set) => set.set("pstree.img[3].ppid", 1007), [
    "TREE_PARENT",
    "CHILD_PID_LOWER",
  ]),
  damage(
    "TREE_CYCLE",
    "tree",
    (set) => set.set("pstree.img[3].ppid", 1005),
    ["TREE_PARENT"],
    "its own parent",
  ),
  damage("PID_DUPLICATE", "threads", (set) => set.set("pstree.img[0].threads[3]", 1006), ["IMAGE_STRAY"]),
  damage("PID_DUPLICATE", "tree", (set) => set.repeat(TREE, 4), [], "a task twice"),
  damage("PID_RANGE", "tree", (set) => set.set("pstree.img[1].pgid", 5_000_000)),
  damage("TREE_LEADER", "threads", (set) => set.set("pstree.img[0].threads[0]", 1005), ["PID_DUPLICATE"]),
  damage("IMAGE_MISSING", "logger", (set) => set.remove("fs-1000.img")),
  damage("IMAGE_MISSING", "tree", (set) => set.remove("core-1012.img"), [], "core of a zombie"),
  damage("THREAD_IMAGE_MISSING", "threads", (set) => set.remove("core-1006.img")),
  damage("REGISTER_COUNT", "threads", (set) =>
    set
      .set("core-1006.img[0].thread_info.fpregs.xmm_space", [1, 2])
      .set("core-1000.img[0].thread_info.fpregs.xsave.ymmh_space", [1]),
  ),
  damage("CORE_PARTS", "threads", (set) => set.set("core-1006.img[0].thread_core", undefined)),
  damage("CORE_PARTS", "logger", (set) => set.set("core-1000.img[0].tc", undefined), [], "tc"),
  damage(
    "CORE_PARTS",
    "logger",
    (set) => set.set("core-1000.img[0].thread_info", undefined),
    [],
    "registers",
  ),
  damage(
    "CORE_PARTS",
    "threads",
    (set) => set.set("core-1006.img[0].thread_info", undefined),
    [],
    "registers of a thread",
  ),
  damage("CORE_ARCHITECTURE", "threads", (set) => set.set("core-1006.img[0].mtype", 3), ["CORE_PARTS"]),
  damage("FIELD_VALUE", "logger", (set) => set.set("core-1000.img[0].tc.task_state", 9), [], "task_state"),
  damage("TASK_EXIT_CODE", "tree", (set) => set.set("core-1012.img[0].tc.exit_code", 0x10b)),
  damage("CREDS_GROUPS", "logger", (set) =>
    set.set(
      "core-1000.img[0].thread_core.creds.groups",
      Array.from({ length: 65_537 }, (_, gid) => gid),
    ),
  ),
  damage("COMM_LENGTH", "logger", (set) =>
    set.set("core-1000.img[0].thread_core.comm", "a name with 20 bytes"),
  ),
  damage("IMAGE_STRAY", "logger", (set) => set.put("fs-999.img", set.read("fs-1000.img"))),
  damage("FDINFO_MISSING", "tree", (set) => set.remove("fdinfo-9.img")),
  damage("OBJECT_SHARED", "tree", (set) => set.set("ids-1003.img[0].vm_id", 2)),
  damage(
    "FD_TABLE_SHARED",
    "terminal",
    (set) =>
      set
        .add(IMAGES.PSTREE, TREE, PSTREE_ENTRY, {
          pid: 1006,
          ppid: 1005,
          pgid: 1000,
          sid: 1000,
          threads: [1006],
        })
        .put("ids-1006.img", set.read("ids-1000.img"))
        .put("core-1006.img", set.read("core-1000.img"))
        .put("mm-1006.img", set.read("mm-1000.img"))
        .put("fs-1006.img", set.read("fs-1000.img"))
        .put("pagemap-1006.img", set.read("pagemap-1000.img")),
    ["OBJECT_SHARED", "PAGES_SHARED"],
  ),
  damage("FD_TABLE_OF_CRIU", "logger", (set) => set.set("inventory.img[0].root_ids.files_id", 2)),
  damage("NAMESPACE_IMAGE", "container", (set) => set.remove("utsns-12.img")),
  damage(
    "NAMESPACE_IMAGE",
    "logger",
    (set) => set.set("ids-1000.img[0].uts_ns_id", 33),
    [],
    "another namespace than criu's",
  ),
  damage("NAMESPACE_DIFFERS", "terminal", (set) =>
    set
      .set("ids-1005.img[0].uts_ns_id", 33)
      .add(IMAGES.UTSNS, "utsns-33.img", UTSNS_ENTRY, { nodename: "n", domainname: "d" }),
  ),
  damage("USERNS_MAP", "logger", (set) =>
    set.add(IMAGES.USERNS, "userns-50.img", IMAGES.USERNS.entries[0].message, {
      uid_map: [],
      gid_map: [{ first: 0, lower_first: 0, count: 1 }],
    }),
  ),
  damage(
    "USERNS_MAP",
    "logger",
    (set) =>
      set.add(IMAGES.USERNS, "userns-50.img", IMAGES.USERNS.entries[0].message, {
        uid_map: [
          { first: 0, lower_first: 0, count: 10 },
          { first: 5, lower_first: 50, count: 1 },
        ],
        gid_map: [{ first: 0, lower_first: 0, count: 1 }],
      }),
    [],
    "overlap",
  ),
];

const LOCK = { flag: 1, type: 0, pid: 1000, fd: 4, start: 0n, len: 1n };

function cut(bytes: Buffer, count: number): Buffer {
  return bytes.subarray(0, bytes.length - count);
}

/** Bytes at the end of the only message of an image. */
function appendToMessage<T extends { read(image: string): Buffer; put(image: string, bytes: Buffer): T }>(
  set: T,
  image: string,
  more: Buffer,
): T {
  const bytes = set.read(image);
  const size = bytes.readUInt32LE(8);
  return set.put(
    image,
    Buffer.concat([bytes.subarray(0, 8), word(size + more.length), bytes.subarray(12), more]),
  );
}
