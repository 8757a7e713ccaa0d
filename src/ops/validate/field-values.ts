import { IMAGES } from "../../formats/criu/images.js";
import { domainText, knownBits } from "../../io/domains.js";
import type { Origin } from "../../model/origin.js";
import { hasDomains, type OutsideValue, outsideValues } from "../../schema/outside-values.js";
import type { ImageContext, SetContext } from "./context.js";
import type { Found, Rule, RuleFacts } from "./finding.js";
import { scanImages } from "./scan.js";
import type { StreamContext } from "./stream/context.js";
import { strays, tasksByTid } from "./tasks.js";

/** The rule about single fields, one for both families: the tables of the formats say what each may be. */
const FACTS: RuleFacts = {
  id: "FIELD_VALUE",
  level: "error",
  about:
    "A number is one that the kernel takes for its field: crimg-criu(5) and crimg-linux-cr(5) list the values.",
  fix: "crimg edit --set gives the field another value.",
};

/** FIELD_VALUE over every record of a set. */
export const setFieldRule: Rule<SetContext> = {
  ...FACTS,
  *check(context) {
    const tasks = context.share(tasksByTid);
    for (const { name, kind, id, outside } of context.share(scanImages)) {
      if (context.share(strays).has(name)) continue;
      const isOfTask = kind === IMAGES.CORE || kind === IMAGES.FS || kind === IMAGES.MM;
      const pid = isOfTask && id !== undefined ? tasks.get(id)?.pid : undefined;
      for (const { record, ...each } of outside)
        yield {
          at: { image: name, record, field: each.path, pid },
          ...problem(context, { image: name, record, field: each.path }, each),
        };
    }
  },
};

/** FIELD_VALUE over every record of a stream. */
export const streamFieldRule: Rule<StreamContext> = {
  ...FACTS,
  *check(context) {
    const { stream } = context;
    const machine = stream.dialect.arch;
    for (let index = 0; index < stream.length; index++) {
      const kind = stream.kind(index);
      const table = kind === undefined ? undefined : stream.layout(index);
      if (kind === undefined || table === undefined || !hasDomains(table)) continue;
      const value = context.valueAt(index, kind);
      if (value === undefined) continue;
      for (const each of outsideValues(table, value, machine))
        yield {
          at: context.at(index, { field: each.path }),
          ...problem(context, { ...context.reader.origin(index), field: each.path }, each),
        };
    }
  },
};

/** Of flags the known ones may stay; which other value is right, nothing says. */
function problem(context: ImageContext, origin: Origin, { value, domain }: OutsideValue): Omit<Found, "at"> {
  if (domain.kind !== "flags")
    return { what: "invalid value", expected: domainText(domain), found: String(value) };
  return {
    what: "unknown flags",
    expected: domainText(domain),
    found: `0x${value.toString(16)}`,
    fix: context.setFieldCommand(origin, BigInt(value) & knownBits(domain)),
  };
}
