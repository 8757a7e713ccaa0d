import { IMAGES } from "../../../formats/criu/images.js";
import { LEASE_BREAKING, LOCK_LEASE } from "../../../formats/criu/tables/file-lock.js";
import { EditError, UsageError } from "../../../io/errors.js";
import { F_RDLCK, F_WRLCK } from "../../../linux/locks.js";
import { O_ACCMODE } from "../../../linux/open-flags.js";
import {
  type DescriptorName,
  descriptionOf,
  descriptorNamed,
  parseDescriptorName,
  typeOf,
} from "../descriptors.js";
import type { Draft } from "../draft.js";
import type { EditKind } from "../kind.js";

const WORDS = ["settle", "read", "write", "drop"] as const;

export interface LeaseEdit {
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
      throw new UsageError(`${JSON.stringify(text)} is not PID:FD=settle, read, write or drop`);
    return { name: parseDescriptorName(text.slice(0, at)), to };
  },
  lookedFor: ({ name }) => `descriptor ${name.fd} of task ${name.pid} has no lease`,
  plan(edits, draft) {
    const image = draft.set.image(IMAGES.FILE_LOCKS);
    for (const { edit, args } of edits)
      for (const record of image?.records() ?? []) {
        const { value } = record;
        if (image === undefined || value.flag !== LOCK_LEASE || draft.isDropped(image, record)) continue;
        if (value.pid !== args.name.pid || value.fd !== args.name.fd) continue;
        const type = leaseType(args.to, value.type);
        if (type === undefined) draft.drop(edit, image, record);
        else {
          if (type === F_RDLCK) assertOpenForReading(draft, args.name);
          draft.change(edit, image, record, ["type"], type);
        }
      }
  },
};

/** The stored type after the edit; undefined for no lease any more. */
function leaseType(to: LeaseEdit["to"], stored: number): number | undefined {
  if (to === "drop") return undefined;
  if (to === "read") return F_RDLCK;
  if (to === "write") return F_WRLCK;
  if ((stored & LEASE_BREAKING) === 0) return stored;
  return (stored & ~LEASE_BREAKING) === F_RDLCK ? F_RDLCK : undefined;
}

/** The kernel gives a read lease only on a file that nobody, the holder included, has open for writing (fcntl(2)). */
function assertOpenForReading(draft: Draft, name: DescriptorName): void {
  const descriptor = descriptorNamed(draft, name);
  const description = descriptor && descriptionOf(draft, typeOf(descriptor), descriptor.value.id);
  const flags = description?.value.flags;
  if (typeof flags !== "number" || (flags & O_ACCMODE) === 0) return;
  throw new EditError(
    `descriptor ${name.fd} of task ${name.pid} is open for writing, so the kernel gives it no read lease at the restore; drop the lease: --lease ${name.pid}:${name.fd}=drop`,
  );
}
