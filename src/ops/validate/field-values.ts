import { IMAGES } from "../../formats/criu/images.js";
import { domainText } from "../../io/domains.js";
import { hasDomains, type OutsideValue, outsideValues } from "../../schema/outside-values.js";
import type { SetContext } from "./context.js";
import type { Found, Rule, RuleFacts } from "./finding.js";
import { scanImages } from "./scan.js";
import type { StreamContext } from "./stream/context.js";
import { tasksByTid } from "./tasks.js";

/** The rule about single fields, one for both families: the tables of the formats say what each may be. */
const FACTS: RuleFacts = {
  id: "FIELD_VALUE",
  level: "error",
  about:
    "A number is one that the kernel takes for its field: crimg-criu(5) and crimg-linux-cr(5) list the values.",
  mend: "crimg edit --set gives the field another value.",
};

/** FIELD_VALUE over every record of a set. */
export const setFieldRule: Rule<SetContext> = {
  ...FACTS,
  *check(context) {
    const tasks = context.share(tasksByTid);
    for (const { name, kind, id, outside } of context.share(scanImages)) {
      const isOfTask = kind === IMAGES.CORE || kind === IMAGES.FS || kind === IMAGES.MM;
      const pid = isOfTask && id !== undefined ? tasks.get(id)?.pid : undefined;
      for (const { record, ...each } of outside)
        yield { at: { image: name, record, field: each.path, pid }, ...problem(each) };
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
        yield { at: context.at(index, { field: each.path }), ...problem(each) };
    }
  },
};

function problem({ value, domain }: OutsideValue): Omit<Found, "at"> {
  const isMask = domain.kind === "flags";
  return {
    what: isMask ? "unknown flags" : "no value that the kernel takes",
    expected: domainText(domain),
    found: isMask ? `0x${value.toString(16)}` : String(value),
  };
}
