import { setProcessAttributes, setThreadAttributes } from "../attributes.js";
import type { AttributeStep } from "../plan/attributes.js";
import type { Builders } from "./builders.js";

export const ATTRIBUTES: Builders<AttributeStep> = {
  "process attributes"(context, { task }) {
    const { remote, process } = context.task(task);
    setProcessAttributes(remote, process);
  },
  "thread attributes": (context, { task, thread }) =>
    setThreadAttributes(context.remote(task, thread.tid), thread),
};
