import type { FileStep } from "../plan/files.js";
import type { Builders } from "./builders.js";

export const FILES: Builders<FileStep> = {
  file: (context, { objref }) => void context.files.get(objref),
  descriptor: (context, { task, fd, objref, closeOnExec }) =>
    context.task(task).transfer.place(context.files.get(objref), fd, closeOnExec),
};
