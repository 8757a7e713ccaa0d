import { UsageError } from "../../../io/errors.js";
import { textToBytes } from "../../../io/text.js";
import type { EditKind } from "../kind.js";

/** TASK_COMM_LEN of linux/sched.h less the NUL. */
const MAX_BYTES = 15;

interface Comm {
  readonly pid: number;
  readonly name: string;
}

/** `--comm PID=NAME`: the name of a task or thread, proc_pid_comm(5). */
export const comm: EditKind<Comm> = {
  name: "comm",
  syntax: "PID=NAME",
  summary: "name of a task or thread, at most 15 bytes; its command line stays",
  parse(text) {
    const [, pid, name] = /^(\d{1,10})=(.+)$/s.exec(text) ?? [];
    if (pid === undefined || name === undefined)
      throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID=NAME)`);
    const { length } = textToBytes(name);
    if (length > MAX_BYTES)
      throw new UsageError(
        `the name of a task has at most ${MAX_BYTES} bytes, ${JSON.stringify(name)} has ${length}`,
      );
    return { pid: Number(pid), name };
  },
  lookedFor: ({ pid }) => `the image has no task or thread ${pid}`,
  plan(edits, editor) {
    for (const { edit, args } of edits)
      for (const each of editor.namesOf(args.pid))
        editor.changeObject(edit, "comm", each, { comm: args.name }, ({ comm: name }) => name);
  },
};
