import { LinuxCrImage } from "../../../formats/linux-cr/image.js";
import { parseImage } from "../../../formats/linux-cr/parse.js";
import { EditError, isCrimgError } from "../../../io/errors.js";
import { type Splice, SplicedSource } from "../../../io/splice.js";
import { equalValues } from "../../../schema/equal.js";
import type { StreamRecords } from "./stream-records.js";

/**
 * Reads the stream as it would be written: its framing, each changed record, and how all records hang together.
 * Errors: EDIT when the result is no image any more, or another one than was planned.
 */
export function checkStream(editor: StreamRecords, splices: readonly Splice[]): void {
  if (splices.length === 0) return;
  try {
    const after = new LinuxCrImage(new SplicedSource(editor.image.source, splices));
    compareRecords(editor, after);
    const { problem } = parseImage(after);
    if (problem !== undefined) throw problem;
  } catch (error) {
    if (!isCrimgError(error) || error.code === "EDIT") throw error;
    throw new EditError(`this edit would damage the image: ${error.message}`, { cause: error });
  }
}

function compareRecords(editor: StreamRecords, after: LinuxCrImage): void {
  const { image } = editor;
  if (after.ending.kind !== image.ending.kind || after.ending.rest !== image.ending.rest)
    throw unlike(editor, "the end");
  let at = 0;
  for (let index = 0; index <= image.length; index++) {
    for (const { bytes, label } of [...editor.followers(index - 1), ...editor.insertions(index)]) {
      const { offset, size } = after.range(at);
      const page = after.rawPage(at)?.size ?? 0;
      if (at >= after.length || !after.source.read(offset, size + page).equals(bytes))
        throw unlike(editor, `the new ${label}`);
      at++;
    }
    if (index === image.length || editor.isDropped(index)) continue;
    if (!isAsPlanned(editor, index, after, at)) throw unlike(editor, `record ${index}`);
    at++;
  }
  if (at !== after.length) throw unlike(editor, `the number of records, ${after.length} for ${at},`);
}

function isAsPlanned(editor: StreamRecords, index: number, after: LinuxCrImage, at: number): boolean {
  const { image } = editor;
  if (after.id(at) !== image.id(index)) return false;
  if (!editor.isChanged(index)) return after.range(at).size === image.range(index).size;
  const [planned, read] = [editor.fields(index), after.fields(at)];
  const count = image.kind(index)?.count;
  const names = Object.keys(planned).filter((name) => name !== count);
  return (
    names.every((name) => equalValues(planned[name], read[name])) &&
    after.bytes(at).equals(editor.payload(index))
  );
}

function unlike({ image }: StreamRecords, what: string): EditError {
  return new EditError(`${what} would not be as planned`, { file: image.name });
}
