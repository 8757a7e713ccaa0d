import { shownCommand, type ViewData } from "../../index.js";
import { type Line, styled } from "../line.js";
import { type Look, taskHead } from "./words.js";

/** `crimg show IMG env` */
export function* envLines({ tasks }: ViewData<"env">, look: Look): Generator<Line> {
  for (const [at, task] of tasks.entries()) {
    if (at > 0) yield "";
    yield taskHead(task, look, shownCommand(task.argv));
    for (const { name, value } of task.environment) {
      const rest = value === undefined ? "" : `=${value}`;
      yield styled`  ${look.style("name", name)}${rest}`;
    }
    for (const problem of task.problems) yield styled`  ${look.style("warning", problem)}`;
  }
}
