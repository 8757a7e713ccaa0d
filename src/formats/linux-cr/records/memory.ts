import { record } from "../record-kind.js";
import { ARM_MM_CONTEXT } from "../tables/arm.js";
import { FS, FS_C97C03D } from "../tables/files.js";
import {
  IPC,
  IPC_MSG,
  IPC_MSG_0ABE2FE,
  IPC_MSG_MSG,
  IPC_MSG_MSG_0ABE2FE,
  IPC_MSG_MSG_D55D4C8,
  IPC_SEM,
  IPC_SEM_0ABE2FE,
  IPC_SHM,
  IPC_SHM_0ABE2FE,
  IPC_SHM_D55D4C8,
  TASK_SEM_UNDO,
  TASK_SEM_UNDO_LIST,
} from "../tables/ipc.js";
import { HPAGE, MM, PGARR, VMA, VMA_0ABE2FE } from "../tables/memory.js";
import { S390_MM_CONTEXT } from "../tables/s390.js";
import { X86_MM_CONTEXT } from "../tables/x86.js";

/** Records of address spaces, directories and System V IPC. */
export const MEMORY_RECORDS = {
  MM: record("MM", [[401, "0abe2fe"]], [{ table: MM }], {
    doc: MM.doc,
    follows: "BUFFER with auxv, VMA map_count times, MM_CONTEXT",
  }),
  VMA: record(
    "VMA",
    [[402, "0abe2fe"]],
    [
      { since: "0abe2fe", table: VMA_0ABE2FE },
      { since: "1fd8e6e", table: VMA },
    ],
    { doc: VMA.doc, follows: "pages for the types 2, 3 and 4" },
  ),
  PGARR: record("PGARR", [[403, "0abe2fe"]], [{ table: PGARR }], {
    doc: PGARR.doc,
    follows: "BUFFER of addresses and pages, unless nr_pages is 0, which ends the list",
  }),
  HPAGE: record("HPAGE", [[404, "1fd8e6e"]], [{ table: HPAGE }], {
    doc: HPAGE.doc,
    follows: "a huge page, in an unknown form",
    certainty: "header file only",
  }),
  MM_CONTEXT: record(
    "MM_CONTEXT",
    [
      [404, "0abe2fe"],
      [405, "1fd8e6e"],
    ],
    [
      { arch: "x86", table: X86_MM_CONTEXT },
      { arch: "s390", table: S390_MM_CONTEXT },
      { arch: "arm", table: ARM_MM_CONTEXT },
    ],
    { doc: "Address space, by architecture", follows: "on x86 MM_CONTEXT_LDT" },
  ),
  FS: record(
    "FS",
    [[451, "c97c03d"]],
    [
      { since: "c97c03d", table: FS_C97C03D },
      { since: "f0fdd38", table: FS },
    ],
    { doc: FS.doc, follows: "FILE_NAME of the working directory, then of the root" },
  ),
  IPC: record("IPC", [[501, "0abe2fe"]], [{ table: IPC }], {
    doc: IPC.doc,
    follows: "ipc_count records of the id ipc_type",
  }),
  IPC_SHM: record(
    "IPC_SHM",
    [[502, "0abe2fe"]],
    [
      { since: "0abe2fe", table: IPC_SHM_0ABE2FE },
      { since: "d55d4c8", table: IPC_SHM_D55D4C8 },
      { since: "1fd8e6e", table: IPC_SHM },
    ],
    { doc: IPC_SHM.doc, follows: "pages, addressed by page index" },
  ),
  IPC_MSG: record(
    "IPC_MSG",
    [[503, "0abe2fe"]],
    [
      { since: "0abe2fe", table: IPC_MSG_0ABE2FE },
      { since: "d55d4c8", table: IPC_MSG },
    ],
    { doc: IPC_MSG.doc, follows: "IPC_MSG_MSG q_qnum times" },
  ),
  IPC_MSG_MSG: record(
    "IPC_MSG_MSG",
    [[504, "0abe2fe"]],
    [
      { since: "0abe2fe", table: IPC_MSG_MSG_0ABE2FE },
      { since: "d55d4c8", table: IPC_MSG_MSG_D55D4C8 },
      { since: "c97c03d", table: IPC_MSG_MSG },
    ],
    { doc: IPC_MSG_MSG.doc, follows: "BUFFERs with m_ts bytes in all" },
  ),
  IPC_SEM: record(
    "IPC_SEM",
    [[505, "0abe2fe"]],
    [
      { since: "0abe2fe", table: IPC_SEM_0ABE2FE },
      { since: "d55d4c8", table: IPC_SEM },
    ],
    { doc: IPC_SEM.doc, follows: "BUFFER of s32 pairs, value and pid, unless sem_nsems is 0" },
  ),
  TASK_SEM_UNDO_LIST: record("TASK_SEM_UNDO_LIST", [[506, "f0fdd38"]], [{ table: TASK_SEM_UNDO_LIST }], {
    doc: TASK_SEM_UNDO_LIST.doc,
    follows: "presumably TASK_SEM_UNDO count times",
    certainty: "header file only",
  }),
  TASK_SEM_UNDO: record("TASK_SEM_UNDO", [[507, "f0fdd38"]], [{ table: TASK_SEM_UNDO }], {
    doc: TASK_SEM_UNDO.doc,
    follows: "presumably a BUFFER of s16",
    certainty: "header file only",
  }),
} as const;
