import { chosenTasks } from "../../model/chosen-tasks.js";
import type { Document } from "../../model/document.js";
import { stringsAt } from "../../model/strings.js";
import { type ShowOptions, type TaskName, taskName, type ViewHead, viewHead } from "./view.js";

export interface EnvView extends ViewHead<"env"> {
  readonly tasks: readonly TaskEnv[];
}

export interface TaskEnv extends TaskName {
  readonly argv: readonly string[];
  readonly environment: readonly EnvVariable[];
  /** Why the arguments or the environment could not be read. */
  readonly problems: readonly string[];
}

export interface EnvVariable {
  readonly name: string;
  /** Undefined for a string without `=`, which getenv(3) never finds. */
  readonly value?: string | undefined;
}

/** Command line and environment of each task, from its memory. Reads only these pages. */
export function envView({ checkpoint }: Document, options: ShowOptions = {}): EnvView {
  const tasks = chosenTasks(checkpoint, options).map((task): TaskEnv => {
    if (task.state === "zombie") return { ...taskName(task), argv: [], environment: [], problems: [] };
    const memory = task.memory();
    const argv = stringsAt(memory, task.mm?.argv);
    const environment = stringsAt(memory, task.mm?.environ);
    return {
      ...taskName(task),
      argv: argv.strings,
      environment: environment.strings.map(variable),
      problems: [...new Set([argv.problem, environment.problem])].filter((text) => text !== undefined),
    };
  });
  return { ...viewHead("env"), tasks };
}

function variable(text: string): EnvVariable {
  const at = text.indexOf("=");
  return at < 0 ? { name: text } : { name: text.slice(0, at), value: text.slice(at + 1) };
}
