import type { FileStep } from "../plan/files.js";
import type { Builders } from "./builders.js";

export const FILES: Builders<FileStep> = {
  file: (work, { objref }) => void work.files.get(objref),
  descriptor: (work, { task, fd, objref, closeOnExec }) =>
    work.site(task).handOver.place(work.files.get(objref), fd, closeOnExec),
};
