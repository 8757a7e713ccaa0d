import { CAP_SYS_PTRACE } from "../../../linux/capabilities.js";
import type { Descriptor } from "../../../model/open-file.js";
import type { ImageContext } from "../context.js";
import { descriptorTables } from "../descriptors.js";
import type { Rule } from "../finding.js";

/** proc(5): reads and writes the memory of any process. */
const MEMORY_OF_TASK = /^\/proc\/(?:self|\d+)(?:\/task\/\d+)?\/mem$/;
const WHOLE_MEMORY = /^\/(?:dev\/(?:k?mem|port)|proc\/kcore)$/;

/** Rules about what tasks can see of others. */
export const accessRules: readonly Rule<ImageContext>[] = [
  {
    id: "SUSPICIOUS_SOCKET",
    level: "warning",
    about: "No task has a raw or a packet socket, by which it sees or forges packets of others.",
    fix: "crimg edit --drop-fd PID:FD closes it.",
    *check(context) {
      for (const [pid, { fd, file, origin }] of descriptors(context)) {
        const socket = file?.socket;
        if (socket === undefined) continue;
        const isRaw = socket.type === "RAW" && socket.family.startsWith("INET");
        if (isRaw || socket.family === "PACKET")
          yield {
            at: context.placeOf(origin, { pid, fd }),
            what: `a task has a ${isRaw ? "raw" : "packet"} socket`,
            found: file?.label,
          };
      }
    },
  },
  {
    id: "SUSPICIOUS_PTRACE",
    level: "warning",
    about:
      "No descriptor leads to the memory of a process or of the machine, and only root may trace others (CAP_SYS_PTRACE).",
    fix: "crimg edit --drop-fd PID:FD closes the descriptor; crimg edit --set takes the capability away.",
    *check(context) {
      for (const [pid, { fd, file, origin }] of descriptors(context))
        if (file?.path !== undefined && (MEMORY_OF_TASK.test(file.path) || WHOLE_MEMORY.test(file.path)))
          yield {
            at: context.placeOf(origin, { pid, fd }),
            what: "a descriptor leads to memory of others",
            found: file.path,
          };
      for (const { pid, threads } of context.checkpoint.tasks) {
        const credentials = threads[0]?.credentials;
        if (credentials === undefined || credentials.euid === 0) continue;
        if ((credentials.effective & CAP_SYS_PTRACE) !== 0n)
          yield {
            at: context.placeOf(credentials.origin, { pid }),
            what: "a task may trace the processes of others",
            found: `CAP_SYS_PTRACE as user ${credentials.euid}`,
          };
      }
    },
  },
];

function* descriptors(context: ImageContext): Generator<readonly [pid: number, Descriptor]> {
  for (const { pid, table } of context.share(descriptorTables))
    for (const descriptor of table.descriptors) yield [pid, descriptor];
}
