import type { LinuxCrImage } from "../../formats/linux-cr/image.js";
import { leafMatches, leafText, structLeaves } from "../../schema/struct-fields.js";
import type { Match } from "./find.js";
import type { Matcher } from "./matcher.js";

/** The fields and texts of a stream that match, record by record. Errors: FormatError where it is truncated or damaged. */
export function* findInStream(image: LinuxCrImage, matcher: Matcher): Generator<Match> {
  for (let record = 0; record < image.length; record++) {
    const table = image.layout(record);
    if (table !== undefined)
      for (const leaf of structLeaves(table, image.fields(record)))
        if (leafMatches(leaf, matcher))
          yield { record, path: `${table.name}.${leaf.path}`, value: leaf.value, text: leafText(leaf) };
    const kind = image.kind(record);
    if (kind?.payload !== "text" && kind?.payload !== "path") continue;
    const value = image.text(record);
    if (matcher.text(value)) yield { record, path: kind.name, value, text: JSON.stringify(value) };
  }
  if (image.ending.error !== undefined) throw image.ending.error;
}
