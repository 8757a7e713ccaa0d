import * as assert from "uvu/assert";
import {
  checkExtraOptions,
  restoreArguments,
  stillNeeded,
} from "../../../../src/backends/criu/command-line.js";
import type { RestoreOption } from "../../../../src/ops/restore-options/option.js";
import { suite } from "../../../helpers/suite.js";

const test = suite("criu command line");

const needed = (...options: [option: string, value?: string][]): RestoreOption[] =>
  options.map(([option, value]) => ({
    option,
    ...(value === undefined ? {} : { value }),
    reason: "",
    objects: [],
    from: "",
  }));
const words = (options: RestoreOption[]): string[] =>
  options.map(({ option, value }) => (value === undefined ? option : `${option} ${value}`));

test("images, root, what the images need, and then the user's words", () => {
  assert.equal(
    restoreArguments(
      { images: "/srv/img", root: "/mnt" },
      needed(["--file-locks"], ["--external", "mnt[]"]),
      ["--weak-sysctls"],
    ),
    "restore --images-dir /srv/img --root /mnt --file-locks --external mnt[] --weak-sysctls".split(" "),
  );
});

test("an option that the user gives is not given twice", () => {
  const options = needed(["--file-locks"], ["--shell-job"]);
  assert.equal(words(stillNeeded(options, ["--shell-job"])), ["--file-locks"]);
});

test("--tcp-close of the user's rules out --tcp-established, and the other way round", () => {
  assert.equal(words(stillNeeded(needed(["--tcp-established"]), ["--tcp-close"])), []);
  assert.equal(words(stillNeeded(needed(["--tcp-close"]), ["--tcp-established"])), []);
});

test("options with keys are told apart by the key", () => {
  const options = needed(["--external", "mnt[data]:PATH"], ["--external", "mnt[logs]:PATH"]);
  assert.equal(words(stillNeeded(options, ["--external", "mnt[data]:/srv/data"])), [
    "--external mnt[logs]:PATH",
  ]);
  assert.equal(words(stillNeeded(options, ["--external=mnt[logs]:/srv/logs"])), [
    "--external mnt[data]:PATH",
  ]);
});

test("an inherited descriptor is told by what it takes the place of, whatever its number", () => {
  const options = needed(["--inherit-fd", "fd[FD]:pipe:[7]"], ["--inherit-fd", "fd[FD]:extRootNetNS"]);
  assert.equal(words(stillNeeded(options, ["--inherit-fd", "fd[5]:extRootNetNS"])), [
    "--inherit-fd fd[FD]:pipe:[7]",
  ]);
  assert.equal(words(stillNeeded(options, ["--inherit-fd=fd[0]:pipe:[7]"])), [
    "--inherit-fd fd[FD]:extRootNetNS",
  ]);
});

test("what crimg gives criu itself is refused, with what to say instead", () => {
  for (const [word, instead] of [
    ["-D", /give the image as IMG/],
    ["--images-dir=/x", /give the image as IMG/],
    ["-d", /--detach/],
    ["--pidfile", /crimg's --pidfile/],
    ["-vvv", /--log FILE/],
    ["-v4", /--log FILE/],
    ["--log-file", /crimg's --log/],
    ["--root", /crimg's --root/],
  ] as const)
    assert.throws(() => checkExtraOptions([word]), instead, word);
  checkExtraOptions(["--tcp-close", "--external", "mnt[d]:/x", "--verbose-something"]);
});

test.run();
