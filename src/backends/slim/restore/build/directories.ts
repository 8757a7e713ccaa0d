import { O_CLOEXEC, O_PATH_DIRECTORY } from "../../../../linux/open-flags.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { cString, openPath } from "../files/named.js";
import type { DirectoryStep } from "../plan/directories.js";
import type { Builders } from "./builders.js";

export const DIRECTORIES: Builders<DirectoryStep> = {
  "root directory"(context, { task, path }) {
    const { remote, transfer } = context.task(task);
    const directory = openPath(path, O_PATH_DIRECTORY | O_CLOEXEC);
    try {
      transfer.lend(directory, (fd) => void remote.call("enter its root directory", SYS.fchdir, fd));
      remote.call("make it its root", SYS.chroot, remote.put(cString(".")));
    } finally {
      attempt(SYS.close, directory);
    }
  },
  "working directory"(context, { task, path, file }) {
    const { remote, transfer } = context.task(task);
    const enter = (own: number): void =>
      transfer.lend(own, (fd) => void remote.call("enter its working directory", SYS.fchdir, fd));
    if (file !== 0) {
      enter(context.files.get(file));
      return;
    }
    const directory = openPath(path, O_PATH_DIRECTORY | O_CLOEXEC);
    try {
      enter(directory);
    } finally {
      attempt(SYS.close, directory);
    }
  },
  umask: (context, { task, umask }) => void context.task(task).remote.call("set its umask", SYS.umask, umask),
};
