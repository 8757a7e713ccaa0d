import { shellCommand, type ViewData } from "../../index.js";
import { escapeText } from "../escape.js";
import { type Look, taskHead } from "./words.js";

/** `crimg show IMG env` */
export function* envLines({ tasks }: ViewData<"env">, look: Look): Generator<string> {
  for (const [at, task] of tasks.entries()) {
    if (at > 0) yield "";
    yield taskHead(task, look, shellCommand(task.argv));
    for (const { name, value } of task.environment) {
      const rest = value === undefined ? "" : `=${escapeText(value)}`;
      yield `  ${look.style("name", escapeText(name))}${rest}`;
    }
    for (const problem of task.problems) yield `  ${look.style("warning", escapeText(problem))}`;
  }
}
