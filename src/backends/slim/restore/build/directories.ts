import { O_CLOEXEC, O_PATH_DIRECTORY } from "../../../../linux/open-flags.js";
import { SYS } from "../../sys/abi-x64.js";
import { attempt } from "../../sys/syscall.js";
import { cString, openPath } from "../files/named.js";
import type { DirectoryStep } from "../plan/directories.js";
import type { Builders } from "./builders.js";

export const DIRECTORIES: Builders<DirectoryStep> = {
  "root directory"(work, { task, path }) {
    const { bench, handOver } = work.site(task);
    const directory = openPath(path, O_PATH_DIRECTORY | O_CLOEXEC);
    try {
      handOver.lend(directory, (fd) => void bench.call("enter its root directory", SYS.fchdir, fd));
      bench.call("make it its root", SYS.chroot, bench.put(cString(".")));
    } finally {
      attempt(SYS.close, directory);
    }
  },
  "working directory"(work, { task, path, file }) {
    const { bench, handOver } = work.site(task);
    const enter = (own: number): void =>
      handOver.lend(own, (fd) => void bench.call("enter its working directory", SYS.fchdir, fd));
    if (file !== 0) {
      enter(work.files.get(file));
      return;
    }
    const directory = openPath(path, O_PATH_DIRECTORY | O_CLOEXEC);
    try {
      enter(directory);
    } finally {
      attempt(SYS.close, directory);
    }
  },
  umask: (work, { task, umask }) => void work.site(task).bench.call("set its umask", SYS.umask, umask),
};
