import type { Part } from "../../../formats/linux-cr/part.js";
import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { AGAIN, hex, recordRule, setCommand } from "./record-rule.js";

/** Record ids of the three lists in their order: shared memory, messages, semaphores. */
const LISTS = [502, 503, 505];
const NOT_LOCKED = 0xffff_ffff;
/** SHM_NORESERVE and SHM_HUGETLB */
const SHM_FLAGS = 0x1800;
const SEM_BYTES = 8;
/** SEMVMX */
const MOST_SEMAPHORE = 32_767;
const KINDS: readonly RecordKind[] = [RECORDS.IPC_SHM, RECORDS.IPC_MSG, RECORDS.IPC_SEM];

/** Rules about System V objects. */
export const ipcRules: readonly Rule<StreamContext>[] = [
  {
    id: "IPC_LISTS",
    level: "error",
    about: "An IPC namespace has its three lists in order: shared memory, message queues, semaphores.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("IPC_NS"))
        for (const [i, list] of part.parts.entries()) {
          const [record] = list.records;
          const type = context.valueAt(record, RECORDS.IPC)?.ipc_type;
          if (record !== undefined && type !== undefined && type !== LISTS[i])
            yield {
              at: context.at(record, { field: "ipc_type" }),
              what: "a list of another kind",
              expected: String(LISTS[i]),
              found: String(type),
            };
        }
    },
  },
  {
    id: "IPC_ID",
    level: "error",
    about:
      "The ids of System V objects are 0 or above, and no two of a kind in a namespace have the same id or key.",
    mend: AGAIN,
    *check(context) {
      for (const part of context.reader.objects("IPC_NS"))
        for (const list of part.parts) yield* idsOf(context, list);
    },
  },
  recordRule(
    RECORDS.IPC_SHM,
    {
      id: "SHM_VALUES",
      level: "error",
      about: "A shared memory segment was not locked by a user, and has no flags but 0x1000 and 0x800.",
      mend: AGAIN,
    },
    function* ({ mlock_uid, flags, shm_segsz }) {
      if (mlock_uid !== NOT_LOCKED)
        yield {
          field: "mlock_uid",
          right: hex(NOT_LOCKED),
          what: "a segment that was locked",
          expected: hex(NOT_LOCKED),
          found: String(mlock_uid),
        };
      if ((flags & ~SHM_FLAGS) !== 0)
        yield {
          field: "flags",
          right: hex(flags & SHM_FLAGS),
          what: "unknown flags",
          expected: `within ${hex(SHM_FLAGS)}`,
          found: hex(flags),
        };
      if (shm_segsz === 0n) yield { field: "shm_segsz", what: "a segment without bytes" };
    },
  ),
  {
    id: "MSG_BYTES",
    level: "error",
    about: "The messages of a queue have as many bytes as they and the queue say, and types above 0.",
    mend: AGAIN,
    *check(context) {
      for (const queue of partsOf(context, RECORDS.IPC_MSG)) {
        const [record] = queue.records;
        const value = context.valueAt(record, RECORDS.IPC_MSG);
        if (record === undefined || value === undefined) continue;
        let sum = 0n;
        for (const message of queue.parts) {
          const [index] = message.records;
          const fields = context.valueAt(index, RECORDS.IPC_MSG_MSG);
          if (index === undefined || fields === undefined) continue;
          sum += BigInt(fields.m_ts);
          yield* messageProblems(context, message, index, BigInt(fields.m_type), fields.m_ts);
        }
        if (sum !== value.q_cbytes)
          yield {
            at: context.at(record, { field: "q_cbytes" }),
            what: "the messages have another number of bytes in all",
            expected: String(value.q_cbytes),
            found: String(sum),
            fix: setCommand(context, record, "q_cbytes", sum),
          };
      }
    },
  },
  recordRule(
    RECORDS.IPC_SEM,
    {
      id: "SEM_VALUES",
      level: "error",
      about: "A semaphore set has as many semaphores as it says, each from 0 to 32,767.",
      mend: AGAIN,
    },
    function* ({ sem_nsems: count }, index, context) {
      const buffer = count === 0 ? undefined : context.bufferAfter(index);
      if (buffer === undefined) return;
      const { size } = context.stream.payload(buffer);
      if (size !== count * SEM_BYTES) {
        yield {
          field: "sem_nsems",
          what: "the BUFFER has another length",
          expected: `${count * SEM_BYTES} bytes`,
          found: `${size} bytes`,
        };
        return;
      }
      const values = context.stream.numbers(buffer).filter((_, i) => i % 2 === 0);
      const wrong = values.findIndex((value) => value < 0 || value > MOST_SEMAPHORE);
      if (wrong !== -1)
        yield {
          field: `[${wrong}]`,
          what: "no value of a semaphore",
          expected: `0 to ${MOST_SEMAPHORE}`,
          found: String(values[wrong]),
        };
    },
  ),
];

/** The parts of all IPC namespaces that begin with this record. */
function* partsOf(context: StreamContext, kind: RecordKind): Generator<Part> {
  for (const namespace of context.reader.objects("IPC_NS"))
    for (const list of namespace.parts)
      for (const part of list.parts)
        if (part.records[0] !== undefined && context.stream.kind(part.records[0]) === kind) yield part;
}

function* idsOf(context: StreamContext, list: Part): Generator<Found> {
  const ids = new Set<number>();
  const keys = new Set<number>();
  for (const { records } of list.parts) {
    const [record] = records;
    if (record === undefined) continue;
    for (const kind of KINDS) {
      const perms = (context.valueAt(record, kind) as { perms: { id: number; key: number } } | undefined)
        ?.perms;
      if (perms === undefined) continue;
      const at = context.at(record, { field: "perms.id" });
      if (perms.id < 0) yield { at, what: "no id", expected: "0 or more", found: String(perms.id) };
      else if (ids.has(perms.id)) yield { at, what: `the id ${perms.id} is there twice` };
      else if (perms.key !== 0 && keys.has(perms.key))
        yield { at: { ...at, field: "perms.key" }, what: `the key ${hex(perms.key)} is there twice` };
      ids.add(perms.id);
      keys.add(perms.key);
    }
  }
}

function* messageProblems(
  context: StreamContext,
  message: Part,
  index: number,
  type: bigint,
  bytes: number,
): Generator<Found> {
  if (type < 1n)
    yield {
      at: context.at(index, { field: "m_type" }),
      what: "no type of a message",
      expected: "1 or more",
      found: String(type),
    };
  const stored = message.parts.reduce(
    (sum, { records }) => sum + context.stream.payload(records[0] as number).size,
    0,
  );
  if (stored !== bytes)
    yield {
      at: context.at(index, { field: "m_ts" }),
      what: "the BUFFERs of the message have another length in all",
      expected: `${bytes} bytes`,
      found: `${stored} bytes`,
    };
}
