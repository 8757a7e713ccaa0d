import { domainText } from "../../../io/domains.js";
import { hasDomains, outsideValues } from "../../../schema/outside-values.js";
import type { ToCriu } from "./context.js";

/** Tells the invalid values of fields for which a set has no place, or only one for valid values. */
export function tellInvalidValues({ reader: { image }, losses, unwritten }: ToCriu): void {
  const machine = image.dialect.arch;
  for (let index = 0; index < image.length; index++) {
    const table = image.layout(index);
    if (table === undefined || !hasDomains(table) || image.range(index).size < table.size) continue;
    for (const { path, value, domain, isKept } of outsideValues(table, image.fields(index), machine))
      if (!isKept || unwritten.has(index))
        losses.add(
          `${table.name}[${index}].${path}`,
          `its invalid value ${value}`,
          `a CRIU set holds valid ones alone (${domainText(domain)})`,
        );
  }
}
