import { EditError, UsageError } from "../../../io/errors.js";
import { O_ACCMODE, O_RDONLY } from "../../../linux/open-flags.js";
import { type Lock, typedLockName } from "../../../model/lock.js";
import { type DescriptorName, parseDescriptorName } from "../held-files.js";
import type { EditKind } from "../kind.js";

const WORDS = ["settle", "read", "write", "drop"] as const;

interface LeaseEdit {
  readonly name: DescriptorName;
  readonly to: (typeof WORDS)[number];
}

/** `--lease PID:FD=settle|read|write|drop`. */
export const lease: EditKind<LeaseEdit> = {
  name: "lease",
  syntax: "PID:FD=settle|read|write|drop",
  summary: "change or drop a lease; settle gives a lease that is being broken what its breaker waits for",
  parse(text) {
    const at = text.indexOf("=");
    const to = WORDS.find((word) => word === text.slice(at + 1));
    if (at === -1 || to === undefined)
      throw new UsageError(`invalid ${JSON.stringify(text)} (expected PID:FD=settle, read, write or drop)`);
    return { name: parseDescriptorName(text.slice(0, at)), to };
  },
  lookedFor: ({ name }) => `descriptor ${name.fd} of task ${name.pid} has no lease`,
  plan(edits, editor) {
    for (const { edit, args } of edits)
      for (const each of editor.locksOf(args.name)) {
        if (each.kind !== "lease") continue;
        const type = typeAfter(args.to, each);
        if (type === undefined) editor.dropObject(edit, each);
        else {
          if (type === "read") assertOpenForReading(each, args.name);
          editor.changeObject(
            edit,
            "lock",
            each,
            { type, breaking: false, previous: undefined, remaining: undefined },
            typedLockName,
          );
        }
      }
  },
};

/** Undefined for no lease any more. */
function typeAfter(to: LeaseEdit["to"], { type, breaking }: Lock): Lock["type"] | undefined {
  if (to === "drop") return undefined;
  if (to !== "settle") return to;
  return breaking && type !== "read" ? undefined : type;
}

/** The kernel gives a read lease only on a file that nobody, the holder included, has open for writing (fcntl(2)). */
function assertOpenForReading({ file }: Lock, { pid, fd }: DescriptorName): void {
  if (((file?.flags ?? O_RDONLY) & O_ACCMODE) === O_RDONLY) return;
  throw new EditError(
    `descriptor ${fd} of task ${pid} is open for writing, so the kernel gives it no read lease at the restart; drop the lease: --lease ${pid}:${fd}=drop`,
  );
}
