import { kindOfFileName } from "../../../formats/criu/detect.js";
import { IMAGES } from "../../../formats/criu/images.js";
import type { Damage } from "../../../formats/criu/salvage.js";
import { type CrimgError, isCrimgError } from "../../../io/errors.js";
import type { SetContext } from "../context.js";
import type { Found, Rule } from "../finding.js";
import { type ScannedImage, scanImages } from "../scan.js";

const COPY_AGAIN =
  "Copy the file again from where the set was made; if it is the same there, checkpoint again.";

/** Rules about the bytes of each image file: header, framing, messages. */
export const framingRules: readonly Rule<SetContext>[] = [
  {
    id: "IMAGE_FILE_TYPE",
    level: "error",
    about:
      "Every image file is a regular file: criu follows a symbolic link wherever it leads, and crimg follows none.",
    fix: "Put the file itself there if you know where the link leads; otherwise take it away.",
    *check({ set }) {
      for (const { name, kind } of set.files) {
        const found = set.fileSet.irregular?.().get(name);
        if (kind === undefined || found === undefined) continue;
        const what =
          found === "a symbolic link" ? "the image is a link, which was not followed" : "no image file";
        yield { at: { image: name }, what, expected: "a regular file", found };
      }
    },
  },
  {
    id: "IMAGE_UNREADABLE",
    level: "error",
    about: "Every image file can be read.",
    fix: "Make the file readable for the user who restores.",
    *check(context) {
      for (const { image, error } of damages(context))
        if (error.code === "IO") yield { at: { image }, what: textOf(error) };
      for (const { name, kind } of context.share(scanImages))
        if (kind.magic === undefined && isRegular(context, name)) yield* unreadableRaw(context, name);
    },
  },
  {
    id: "IMAGE_MAGIC",
    level: "error",
    about: "An image file starts with the magic words of a CRIU image.",
    fix: COPY_AGAIN,
    *check(context) {
      for (const { image, record, misnamed, error } of damages(context))
        if (
          record === undefined &&
          misnamed === undefined &&
          error.code !== "IO" &&
          isRegular(context, image)
        )
          yield { at: { image }, what: textOf(error) };
    },
  },
  {
    id: "IMAGE_KIND",
    level: "error",
    about: "The magic of an image is that of the kind which its file name says.",
    fix: "Give the file the name that it had when it was made.",
    *check(context) {
      for (const { image, misnamed, error } of damages(context))
        if (misnamed !== undefined)
          yield {
            at: { image },
            what: textOf(error),
            expected: kindOfFileName(image)?.kind.name,
            found: misnamed.name,
          };
    },
  },
  {
    id: "IMAGE_TRUNCATED",
    level: "error",
    about: "The records of an image and their payloads end where the file ends.",
    fix: COPY_AGAIN,
    check: (context) => recordDamage(context, isFraming),
  },
  {
    id: "IMAGE_GARBAGE",
    level: "error",
    about: "Each record decodes as its message, with every required field.",
    fix: COPY_AGAIN,
    check: (context) => recordDamage(context, (damage) => !isFraming(damage) && damage.error.code !== "IO"),
  },
  {
    id: "RECORD_MISSING",
    level: "error",
    about: "An image that holds one record has it.",
    fix: COPY_AGAIN,
    *check(context) {
      for (const { name, kind, header, records } of context.share(scanImages)) {
        const first = kind.entries[0];
        if (header === undefined || records > 0 || first === undefined || first.repeats) continue;
        if (context.set.damageOf(name).length > 0) continue;
        yield {
          at: { image: name },
          what: "the image is empty",
          expected: `a ${first.message.name}`,
          found: "none",
        };
      }
    },
  },
  {
    id: "RECORD_SURPLUS",
    level: "warning",
    about: "Nothing stands behind the one record of an image that holds one.",
    fix: "criu ignores the rest; if another tool wrote the set, make it again with crimg.",
    *check(context) {
      for (const { name, kind, records } of context.share(scanImages))
        if (
          kind.entries.length > 0 &&
          kind.entries.at(-1)?.repeats === false &&
          records > kind.entries.length
        )
          yield {
            at: { image: name, record: kind.entries.length },
            what: "records behind the last one that is read",
            expected: String(kind.entries.length),
            found: String(records),
          };
    },
  },
  {
    id: "BYTE_ORDER",
    level: "error",
    about: "All images of a set have one byte order.",
    fix: "The set holds images of two machines: take those of one dump.",
    *check(context) {
      const images = context.share(scanImages).filter(({ header }) => header !== undefined);
      const first = images[0]?.header?.byteOrder;
      for (const { name, header } of images)
        if (header?.byteOrder !== first)
          yield {
            at: { image: name },
            what: "foreign byte order",
            expected: first,
            found: header?.byteOrder,
          };
    },
  },
  {
    id: "ENVELOPE",
    level: "error",
    about: "Images have the number of magic words that the version in inventory.img says.",
    fix: "The set holds images of two dumps: take those of one.",
    *check(context) {
      const version = context.set.first(IMAGES.INVENTORY)?.img_version;
      if (version === undefined) return;
      const expected = version >= 2 ? "V1.1" : "V1";
      for (const { name, kind, header } of context.share(scanImages))
        if (header !== undefined && kind.head === "common" && header.envelope !== expected)
          yield { at: { image: name }, what: "header of another version", expected, found: header.envelope };
    },
  },
];

/** The message of an error without the file, which the finding names already. */
export function textOf(error: CrimgError): string {
  const prefix = `${error.file}: `;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
}

function isRegular({ set }: SetContext, name: string): boolean {
  return set.fileSet.irregular?.().has(name) !== true;
}

function damages(context: SetContext): Damage[] {
  // Lists that are too long for a task are refused when the model looks at them.
  for (const task of context.checkpoint.tasks) void task.limits;
  return context.share(scanImages).flatMap(({ name }: ScannedImage) => [...context.set.damageOf(name)]);
}

/** Whether the image ends too early, as opposed to a message that is no message. */
function isFraming({ record, error }: Damage): boolean {
  return record?.framed !== true && (error.code === "TRUNCATED" || error.code === "TOO_LARGE");
}

function* recordDamage(context: SetContext, isOurs: (damage: Damage) => boolean): Generator<Found> {
  for (const damage of damages(context)) {
    const { image, record, error } = damage;
    if (record === undefined || !isOurs(damage)) continue;
    const rest = record.framed ? "" : "; what follows was not read";
    yield { at: { image, record: record.index }, what: `${textOf(error)}${rest}` };
  }
}

function* unreadableRaw(context: SetContext, name: string): Generator<Found> {
  try {
    const source = context.set.fileSet.open(name);
    source?.read(0, Math.min(1, source.size));
  } catch (error) {
    if (!isCrimgError(error)) throw error;
    yield { at: { image: name }, what: textOf(error) };
  }
}
