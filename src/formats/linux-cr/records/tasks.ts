import { record } from "../record-kind.js";
import { ARM_CPU, ARM_THREAD } from "../tables/arm.js";
import { CRED, CRED_0ABE2FE, GROUPINFO, USER, USER_NS } from "../tables/creds.js";
import { PIDS, TREE, TREE_0ABE2FE, VPIDS } from "../tables/head.js";
import { IPC_NS, NS, NS_0ABE2FE, NS_C97C03D, UTS_NS } from "../tables/namespaces.js";
import { PPC32_CPU, PPC32_VSX_CPU, PPC64_CPU, PPC64_VSX_CPU } from "../tables/powerpc.js";
import { S390_CPU, S390_THREAD } from "../tables/s390.js";
import {
  RESTART_BLOCK,
  TASK,
  TASK_0ABE2FE,
  TASK_67CFEE9,
  TASK_CREDS,
  TASK_F0FDD38,
  TASK_NS,
  TASK_OBJS,
  TASK_OBJS_0ABE2FE,
  TASK_OBJS_C97C03D,
} from "../tables/task.js";
import { X86_CPU, X86_CPU_0ABE2FE, X86_THREAD, X86_THREAD_0ABE2FE } from "../tables/x86.js";

/** Records of tasks: state, registers, credentials, namespaces. */
export const TASKS_RECORDS = {
  PIDS: record("PIDS", [[101, "b6cdf01"]], [{ table: PIDS }], {
    doc: PIDS.doc,
    follows: "BUFFER of packed elements: u32 depth, s32 numbers[depth + 1]",
  }),
  TREE: record(
    "TREE",
    [
      [101, "0abe2fe"],
      [102, "b6cdf01"],
    ],
    [
      { since: "0abe2fe", table: TREE_0ABE2FE },
      { since: "b6cdf01", table: TREE },
    ],
    { doc: TREE.doc, follows: "BUFFER of the ids of the tasks" },
  ),
  TASK: record(
    "TASK",
    [
      [102, "0abe2fe"],
      [103, "b6cdf01"],
    ],
    [
      { since: "0abe2fe", table: TASK_0ABE2FE },
      { since: "67cfee9", table: TASK_67CFEE9 },
      { since: "f0fdd38", table: TASK_F0FDD38 },
      { since: "1fd8e6e", table: TASK },
    ],
    { doc: TASK.doc, follows: "STRING: the name; unless a zombie, all its other records" },
  ),
  TASK_NS: record(
    "TASK_NS",
    [
      [103, "0abe2fe"],
      [104, "b6cdf01"],
    ],
    [{ table: TASK_NS }],
    { doc: TASK_NS.doc },
  ),
  TASK_OBJS: record(
    "TASK_OBJS",
    [
      [104, "0abe2fe"],
      [105, "b6cdf01"],
    ],
    [
      { since: "0abe2fe", table: TASK_OBJS_0ABE2FE },
      { since: "c97c03d", table: TASK_OBJS_C97C03D },
      { since: "f0fdd38", table: TASK_OBJS },
    ],
    { doc: TASK_OBJS.doc, follows: "SIGNAL, if signal_objref is new" },
  ),
  RESTART_BLOCK: record(
    "RESTART_BLOCK",
    [
      [105, "0abe2fe"],
      [106, "b6cdf01"],
    ],
    [{ table: RESTART_BLOCK }],
    { doc: RESTART_BLOCK.doc },
  ),
  THREAD: record(
    "THREAD",
    [
      [106, "0abe2fe"],
      [107, "b6cdf01"],
    ],
    [
      { arch: "x86", since: "0abe2fe", table: X86_THREAD_0ABE2FE },
      { arch: "x86", since: "f0fdd38", table: X86_THREAD },
      { arch: "s390", since: "67cfee9", table: S390_THREAD },
      { arch: "arm", table: ARM_THREAD },
    ],
    {
      doc: "Kernel state of a thread, by architecture",
      payload: "bytes",
      count: "sizeof_tls_array",
    },
  ),
  CPU: record(
    "CPU",
    [
      [107, "0abe2fe"],
      [108, "b6cdf01"],
    ],
    [
      { arch: "x86", since: "0abe2fe", table: X86_CPU_0ABE2FE },
      { arch: "x86", since: "c97c03d", table: X86_CPU },
      { arch: "s390", table: S390_CPU },
      { arch: "powerpc", table: PPC32_CPU },
      { arch: "powerpc", table: PPC32_VSX_CPU },
      { arch: "powerpc", table: PPC64_CPU },
      { arch: "powerpc", table: PPC64_VSX_CPU },
      { arch: "arm", table: ARM_CPU },
    ],
    { doc: "Registers, by architecture", follows: "on x86 CPU_FPU, if used_math is not 0" },
  ),
  NS: record(
    "NS",
    [
      [108, "0abe2fe"],
      [109, "b6cdf01"],
    ],
    [
      { since: "0abe2fe", table: NS_0ABE2FE },
      { since: "c97c03d", table: NS_C97C03D },
      { since: "78d18cf", table: NS },
    ],
    { doc: NS.doc },
  ),
  UTS_NS: record(
    "UTS_NS",
    [
      [109, "0abe2fe"],
      [110, "b6cdf01"],
    ],
    [{ table: UTS_NS }],
    { doc: UTS_NS.doc },
  ),
  IPC_NS: record(
    "IPC_NS",
    [
      [110, "0abe2fe"],
      [111, "b6cdf01"],
    ],
    [{ table: IPC_NS }],
    { doc: IPC_NS.doc, follows: "three IPC lists: shared memory, messages, semaphores" },
  ),
  MNT_NS: record(
    "MNT_NS",
    [
      [111, "c97c03d"],
      [112, "b6cdf01"],
    ],
    [],
    { doc: "Unused record id" },
  ),
  CAPABILITIES: record(
    "CAPABILITIES",
    [
      [111, "0abe2fe"],
      [112, "c97c03d"],
      [113, "b6cdf01"],
    ],
    [],
    { doc: "Unused record id: the structure is in CRED" },
  ),
  USER_NS: record(
    "USER_NS",
    [
      [112, "0abe2fe"],
      [113, "c97c03d"],
      [114, "b6cdf01"],
    ],
    [{ table: USER_NS }],
    { doc: USER_NS.doc },
  ),
  CRED: record(
    "CRED",
    [
      [113, "0abe2fe"],
      [114, "c97c03d"],
      [115, "b6cdf01"],
    ],
    [
      { since: "0abe2fe", table: CRED_0ABE2FE },
      { since: "d55d4c8", table: CRED },
    ],
    { doc: CRED.doc },
  ),
  USER: record(
    "USER",
    [
      [114, "0abe2fe"],
      [115, "c97c03d"],
      [116, "b6cdf01"],
    ],
    [{ table: USER }],
    { doc: USER.doc },
  ),
  GROUPINFO: record(
    "GROUPINFO",
    [
      [115, "0abe2fe"],
      [116, "c97c03d"],
      [117, "b6cdf01"],
    ],
    [{ table: GROUPINFO }],
    { doc: GROUPINFO.doc, payload: "u32", payloadAt: 12, count: "ngroups", slack: 4 },
  ),
  TASK_CREDS: record(
    "TASK_CREDS",
    [
      [116, "0abe2fe"],
      [117, "c97c03d"],
      [118, "b6cdf01"],
    ],
    [{ table: TASK_CREDS }],
    { doc: TASK_CREDS.doc },
  ),
  VPIDS: record(
    "VPIDS",
    [
      [118, "c83f38b"],
      [undefined, "b0d8304"],
    ],
    [{ table: VPIDS }],
    { doc: VPIDS.doc, follows: "BUFFER of s32, unless nr_vpids is 0" },
  ),
  CPU_FPU: record("CPU_FPU", [[201, "0abe2fe"]], [], { doc: "FXSAVE or XSAVE area", payload: "bytes" }),
  MM_CONTEXT_LDT: record("MM_CONTEXT_LDT", [[202, "0abe2fe"]], [], {
    doc: "Local descriptor table, 8 bytes per entry",
    payload: "bytes",
  }),
} as const;
