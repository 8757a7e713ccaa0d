import { setProcessAttributes, setThreadAttributes } from "../attributes.js";
import type { AttributeStep } from "../plan/attributes.js";
import type { Builders } from "./builders.js";

export const ATTRIBUTES: Builders<AttributeStep> = {
  "process attributes"(work, { task }) {
    const { bench, process } = work.site(task);
    setProcessAttributes(bench, process);
  },
  "thread attributes": (work, { task, thread }) => setThreadAttributes(work.bench(task, thread.tid), thread),
};
