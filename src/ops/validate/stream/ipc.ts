import type { Part } from "../../../formats/linux-cr/part.js";
import type { RecordKind } from "../../../formats/linux-cr/record-kind.js";
import { RECORDS } from "../../../formats/linux-cr/records.js";
import type { Found, Rule } from "../finding.js";
import type { StreamContext } from "./context.js";
import { SET_FIELD, setCommand } from "./record-rule.js";

/** Record ids of the three lists in their order: shared memory, messages, semaphores. */
const LISTS = [502, 503, 505];

/** Rules about the lists of System V objects. */
export const ipcRules: readonly Rule<StreamContext>[] = [
  {
    id: "IPC_LISTS",
    level: "error",
    about: "An IPC namespace has its three lists in order: shared memory, message queues, semaphores.",
    fix: SET_FIELD,
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
    id: "MSG_BYTES",
    level: "error",
    about: "The messages of a queue have as many bytes as they and the queue say.",
    fix: SET_FIELD,
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
          yield* messageProblems(context, message, index, fields.m_ts);
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
];

/** The parts of all IPC namespaces that begin with this record. */
function* partsOf(context: StreamContext, kind: RecordKind): Generator<Part> {
  for (const namespace of context.reader.objects("IPC_NS"))
    for (const list of namespace.parts)
      for (const part of list.parts)
        if (part.records[0] !== undefined && context.stream.kind(part.records[0]) === kind) yield part;
}

function* messageProblems(
  context: StreamContext,
  message: Part,
  index: number,
  bytes: number,
): Generator<Found> {
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
