import { textToBytes } from "../../../io/text.js";
import { __NEW_UTS_LEN, SEMVMX } from "../../../linux/ipc.js";
import type { IpcObject } from "../../../model/ipc.js";
import type { ImageContext } from "../context.js";
import type { Found, Rule } from "../finding.js";

const NOT_RESTORED = "Give it another value with crimg edit --set: no restore makes the object as it is.";

/** Rules about System V objects and the names of UTS namespaces. */
export const ipcRules: readonly Rule<ImageContext>[] = [
  {
    id: "IPC_ID",
    level: "error",
    about:
      "The ids of System V objects are 0 or above, and no two of a kind in a namespace have the same id or key.",
    fix: NOT_RESTORED,
    *check(context) {
      for (const { segments, queues, semaphores } of context.checkpoint.ipcNamespaces)
        for (const objects of [segments, queues, semaphores]) yield* wrongIds(context, objects);
    },
  },
  {
    id: "MSG_TYPE",
    level: "error",
    about: "The type of a System V message is above 0.",
    fix: NOT_RESTORED,
    *check(context) {
      for (const { queues } of context.checkpoint.ipcNamespaces)
        for (const { id, origin, stored } of queues) {
          let nth = 0;
          for (const { type } of stored()) {
            if (type < 1n)
              yield {
                at: context.placeOf(origin),
                what: `invalid type of message ${nth} of queue ${id}`,
                expected: "1 or more",
                found: `${type}`,
              };
            nth++;
          }
        }
    },
  },
  {
    id: "SEM_VALUES",
    level: "error",
    about: `A System V semaphore set has as many semaphores as it says, each from 0 to ${SEMVMX}.`,
    fix: NOT_RESTORED,
    *check(context) {
      for (const { semaphores } of context.checkpoint.ipcNamespaces)
        for (const { id, count, values, origin } of semaphores) {
          const at = context.placeOf(origin);
          if (values.length !== count)
            yield {
              at,
              what: `invalid number of values in semaphore set ${id}`,
              expected: `${count}`,
              found: `${values.length}`,
            };
          const wrong = values.findIndex((value) => value < 0 || value > SEMVMX);
          if (wrong !== -1)
            yield {
              at,
              what: `invalid value of semaphore ${wrong} of set ${id}`,
              expected: `0 to ${SEMVMX}`,
              found: `${values[wrong]}`,
            };
        }
    },
  },
  {
    id: "UTS_NAME",
    level: "error",
    about: `Host and domain names have at most ${__NEW_UTS_LEN} bytes: the kernel cuts longer ones off.`,
    fix: "crimg edit --hostname gives a host name, --set a domain name.",
    *check(context) {
      for (const { hostName, domainName, origin } of context.checkpoint.utsNamespaces)
        for (const [what, name] of [
          ["host name", hostName],
          ["domain name", domainName],
        ] as const) {
          const { length } = textToBytes(name);
          if (length > __NEW_UTS_LEN)
            yield {
              at: context.placeOf(origin),
              what: `the ${what} is too long`,
              expected: `at most ${__NEW_UTS_LEN} bytes`,
              found: `${length} bytes`,
            };
        }
    },
  },
];

function* wrongIds(context: ImageContext, objects: readonly IpcObject[]): Generator<Found> {
  const ids = new Set<number>();
  const keys = new Set<number>();
  for (const { id, key, origin } of objects) {
    const at = context.placeOf(origin);
    if (id < 0) yield { at, what: "invalid System V id", expected: "0 or more", found: `${id}` };
    else if (ids.has(id)) yield { at, what: `duplicate System V id ${id}` };
    else if (key !== 0 && keys.has(key)) yield { at, what: `duplicate System V key 0x${key.toString(16)}` };
    ids.add(id);
    keys.add(key);
  }
}
